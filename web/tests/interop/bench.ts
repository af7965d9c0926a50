import { readFileSync } from 'node:fs';
import {
  type ClientConfig,
  type ClientState,
  createApplicationMessage,
  createCommit,
  decodeMlsMessage,
  emptyPskIndex,
  encodeGroupState,
  encodeMlsMessage,
  generateKeyPackage,
  joinGroup,
  type KeyPackage,
  type MLSMessage,
  type PrivateKeyPackage,
  processPrivateMessage,
  processPublicMessage,
} from 'ts-mls';
import { capabilities, clockSkewMs, keyPackageLifetimeMs, config as webConfig } from '../../src/crypto/config';
import { equalBytes } from '../../src/protocol/bytes';
import { serve } from './protocol';
import { loadSuite } from './suites';

type Request =
  | { op: 'keyPackage'; name: string; identity: Uint8Array }
  | { op: 'join'; name: string; welcome: Uint8Array }
  | { op: 'process'; name: string; message: Uint8Array }
  | { op: 'update'; name: string }
  | { op: 'describe'; name: string }
  | { op: 'versions' }
  | { op: 'messages'; name: string; data: Uint8Array; authenticatedData: Uint8Array; count: number }
  | { op: 'chain'; name: string; count: number }
  | Measure;

/** What is measured, again and again until the window is over, from the state that the member is in. */
type Measure = { window: number } & (
  | { op: 'measureEncrypt'; name: string; data: Uint8Array; authenticatedData: Uint8Array }
  | { op: 'measureDecrypt'; name: string; messages: Uint8Array[]; data: Uint8Array }
  | { op: 'measureCommit'; name: string; keyPackage: Uint8Array | null }
  | { op: 'measureProcess'; name: string; messages: Uint8Array[] }
  | { op: 'measureJoin'; name: string; welcome: Uint8Array }
);

type Member = { publicPackage: KeyPackage; privatePackage: PrivateKeyPackage; state: ClientState | null };

const suite = 1;

/** The library's own settings but for those that the protocol fixes. */
const config: ClientConfig = {
  ...webConfig,
  authService: { validateCredential: async () => true },
};

/** The ts-mls half of `loadtest mls`. Times are taken here, so that nothing of the way between processes is in them. */
export async function main(): Promise<void> {
  const cs = await loadSuite(suite);
  const members = new Map<string, Member>();

  const memberOf = (name: string): Member => {
    const member = members.get(name);
    if (!member) {
      throw new Error(`there is no member ${name}`);
    }
    return member;
  };
  const stateOf = (name: string): ClientState => {
    const { state } = memberOf(name);
    if (!state) {
      throw new Error(`${name} is in no group`);
    }
    return state;
  };

  const encrypt = async (state: ClientState, data: Uint8Array, authenticatedData: Uint8Array) => {
    const made = await createApplicationMessage(state, data, cs, authenticatedData);
    const { privateMessage } = made;
    const message = encodeMlsMessage({ version: 'mls10', wireformat: 'mls_private_message', privateMessage });
    return { state: made.newState, message };
  };
  const decrypt = async (state: ClientState, bytes: Uint8Array) => {
    const message = decodeAs('mls_private_message', bytes);
    const opened = await processPrivateMessage(state, message.privateMessage, emptyPskIndex, cs);
    if (opened.kind !== 'applicationMessage') {
      throw new Error('not an application message');
    }
    return { state: opened.newState, data: opened.message };
  };
  const commit = async (state: ClientState, keyPackage: KeyPackage | null) => {
    const made = await createCommit(
      { state, cipherSuite: cs },
      {
        wireAsPublicMessage: true,
        ratchetTreeExtension: true,
        extraProposals: keyPackage ? [{ proposalType: 'add', add: { keyPackage } }] : [],
      },
    );
    const { welcome, newState } = made;
    return {
      state: newState,
      message: encodeMlsMessage(made.commit),
      welcome: welcome ? encodeMlsMessage({ version: 'mls10', wireformat: 'mls_welcome', welcome }) : null,
    };
  };
  const process = async (state: ClientState, bytes: Uint8Array) => {
    const message = decodeAs('mls_public_message', bytes);
    return (await processPublicMessage(state, message.publicMessage, emptyPskIndex, cs)).newState;
  };
  const join = async ({ publicPackage, privatePackage }: Member, bytes: Uint8Array) => {
    const { welcome } = decodeAs('mls_welcome', bytes);
    return joinGroup(welcome, publicPackage, privatePackage, emptyPskIndex, cs, undefined, undefined, config);
  };

  await serve<Request>(async (request) => {
    switch (request.op) {
      case 'keyPackage': {
        const credential = { credentialType: 'basic' as const, identity: request.identity };
        const made = await generateKeyPackage(credential, capabilities, lifetimeFromNow(), [], cs);
        members.set(request.name, { ...made, state: null });
        const keyPackage = made.publicPackage;
        return encodeMlsMessage({ version: 'mls10', wireformat: 'mls_key_package', keyPackage });
      }
      case 'join':
        memberOf(request.name).state = await join(memberOf(request.name), request.welcome);
        return;
      case 'process':
        memberOf(request.name).state = await process(stateOf(request.name), request.message);
        return;
      case 'update': {
        const made = await commit(stateOf(request.name), null);
        memberOf(request.name).state = made.state;
        return made.message;
      }
      case 'describe':
        return describe(stateOf(request.name));
      case 'versions':
        return { node: globalThis.process.version, tsMls: tsMlsVersion() };
      case 'messages': {
        const messages: Uint8Array[] = [];
        let state = stateOf(request.name);
        while (messages.length < request.count) {
          const made = await encrypt(state, request.data, request.authenticatedData);
          state = made.state;
          messages.push(made.message);
        }
        return messages;
      }
      case 'chain': {
        const messages: Uint8Array[] = [];
        let state = stateOf(request.name);
        while (messages.length < request.count) {
          const made = await commit(state, null);
          state = made.state;
          messages.push(made.message);
        }
        return { messages, ...describe(state) };
      }
      case 'measureEncrypt': {
        let state = stateOf(request.name);
        return measure(request.window, 1, async () => {
          state = (await encrypt(state, request.data, request.authenticatedData)).state;
        });
      }
      case 'measureDecrypt': {
        let equal = true;
        const times = await measure(request.window, request.messages.length, async () => {
          let state = stateOf(request.name);
          for (const message of request.messages) {
            const opened = await decrypt(state, message);
            state = opened.state;
            equal = equal && equalBytes(opened.data, request.data);
          }
        });
        return { ...times, equal };
      }
      case 'measureCommit': {
        const state = stateOf(request.name);
        const added = request.keyPackage && decodeAs('mls_key_package', request.keyPackage).keyPackage;
        let made: Awaited<ReturnType<typeof commit>> | null = null;
        const times = await measure(request.window, 1, async () => {
          made = await commit(state, added);
        });
        return { ...times, ...(made as unknown as { message: Uint8Array; welcome: Uint8Array | null }), state: null };
      }
      case 'measureProcess': {
        let state = stateOf(request.name);
        const times = await measure(request.window, request.messages.length, async () => {
          state = stateOf(request.name);
          for (const message of request.messages) {
            state = await process(state, message);
          }
        });
        return { ...times, ...describe(state) };
      }
      case 'measureJoin': {
        const member = memberOf(request.name);
        let state: ClientState | null = null;
        const times = await measure(request.window, 1, async () => {
          state = await join(member, request.welcome);
        });
        return { ...times, ...describe(state as unknown as ClientState) };
      }
    }
  });
}

function tsMlsVersion(): string {
  const lock = readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8');
  return JSON.parse(lock).packages['node_modules/ts-mls'].version;
}

function lifetimeFromNow() {
  const now = Date.now();
  const seconds = (ms: number) => BigInt(Math.floor(ms / 1000));
  return { notBefore: seconds(now - clockSkewMs), notAfter: seconds(now + keyPackageLifetimeMs) };
}

/** Runs a piece of work, which counts for `each`, until the window of milliseconds is over; at least once. */
async function measure(window: number, each: number, work: () => Promise<void>) {
  const begun = performance.now();
  let count = 0;
  let elapsed = 0;
  while (count === 0 || elapsed < window) {
    await work();
    count += each;
    elapsed = performance.now() - begun;
  }
  return { count, elapsedMs: elapsed };
}

function describe(state: ClientState) {
  return {
    epoch: Number(state.groupContext.epoch),
    authenticator: state.keySchedule.epochAuthenticator,
    stateBytes: encodeGroupState({ ...state, historicalReceiverData: new Map() }).length,
  };
}

function decodeAs<Format extends MLSMessage['wireformat']>(format: Format, bytes: Uint8Array) {
  const message = decodeMlsMessage(bytes, 0)?.[0];
  if (message?.wireformat !== format) {
    throw new Error(`not a message of format ${format}`);
  }
  return message as Extract<MLSMessage, { wireformat: Format }>;
}
