// Makes ts-mls.json: messages of a small group as the web client's MLS library writes them, for the .NET tests.
// Run in web/, where ts-mls is installed:
//   node --input-type=module < ../ChatPay.Tests/Fixtures/ts-mls.mjs > ../ChatPay.Tests/Fixtures/ts-mls.json
import {
  createApplicationMessage,
  createCommit,
  createGroup,
  createGroupInfoWithExternalPubAndRatchetTree,
  encodeMlsMessage,
  generateKeyPackage,
  getCiphersuiteFromName,
  getCiphersuiteImpl,
  joinGroupExternal,
} from 'ts-mls';

const name = 'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519';
const cs = await getCiphersuiteImpl(getCiphersuiteFromName(name));
const capabilities = { versions: ['mls10'], ciphersuites: [name], extensions: [], proposals: [], credentials: ['basic'] };
const now = BigInt(Math.floor(Date.now() / 1000));
const lifetime = { notBefore: now - 3600n, notAfter: now + 84n * 24n * 3600n };
const hex = (bytes) => Buffer.from(bytes).toString('hex');
const message = (wireformat, member, value) => hex(encodeMlsMessage({ version: 'mls10', wireformat, [member]: value }));

/** Account n: 16 bytes of n; its device: 16 bytes of n + 0x80. */
const make = (n) =>
  generateKeyPackage(
    { credentialType: 'basic', identity: Uint8Array.from({ length: 32 }, (_, i) => (i < 16 ? n : n + 0x80)) },
    capabilities,
    lifetime,
    [],
    cs,
  );

const [ana, ben, cleo, dan] = [await make(1), await make(2), await make(3), await make(4)];
const groupId = Uint8Array.from({ length: 16 }, (_, i) => i);
const add = (who) => ({ proposalType: 'add', add: { keyPackage: who.publicPackage } });
const options = { wireAsPublicMessage: true };

let state = await createGroup(groupId, ana.publicPackage, ana.privatePackage, [], cs);
const added = await createCommit({ state, cipherSuite: cs }, { ...options, extraProposals: [add(ben), add(cleo)] });
state = added.newState;
const data = Uint8Array.from([1, ...Array(16).fill(9)]);
const sent = await createApplicationMessage(state, new TextEncoder().encode('hello'), cs, data);
state = sent.newState;
const removed = await createCommit(
  { state, cipherSuite: cs },
  { ...options, extraProposals: [{ proposalType: 'remove', remove: { removed: 1 } }] },
);
state = removed.newState;
const info = await createGroupInfoWithExternalPubAndRatchetTree(state, [], cs);
const joined = await joinGroupExternal(info, dan.publicPackage, dan.privatePackage, false, cs);

const fixture = {
  groupId: hex(groupId),
  keyPackages: [ana, ben, cleo, dan].map((who) => message('mls_key_package', 'keyPackage', who.publicPackage)),
  addCommit: hex(encodeMlsMessage(added.commit)),
  welcome: message('mls_welcome', 'welcome', added.welcome),
  privateMessage: message('mls_private_message', 'privateMessage', sent.privateMessage),
  authenticatedData: hex(data),
  removeCommit: hex(encodeMlsMessage(removed.commit)),
  groupInfo: message('mls_group_info', 'groupInfo', info),
  externalCommit: message('mls_public_message', 'publicMessage', joined.publicMessage),
};
process.stdout.write(`${JSON.stringify(fixture, null, 2)}\n`);
