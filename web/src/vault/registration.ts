import { publicKeyOf } from '../crypto/ed25519';
import { type Random, wipe } from '../crypto/random';
import { bytesToUuid } from '../protocol/ids';
import type { Stretch } from './argon2/port';
import { signShare } from './certificate';
import type { RealmConfiguration } from './configuration';
import { VaultContext, vaultDigest } from './context';
import { VaultLimits } from './limits';
import { register2Request, signMessage } from './messages/register';
import { evaluateInput } from './oprf';
import { encodeParameters, type PinHashParameters } from './parameters';
import type { Pin } from './pins/pin';
import { publicElement, randomScalar, writeScalar } from './ristretto';
import { splitScalar } from './sharing';
import { StretchedPin } from './stretchedPin';
import { UnlockKey } from './unlockKey';

/** What is registered, and where. */
export type RegistrationPlan = {
  account: string;
  configuration: RealmConfiguration;
  parameters: PinHashParameters;
  /** The registration that each realm has, as it said to register1; zeros for none. */
  replaces: readonly string[];
  /** 1 to 10; 10 unless somebody says otherwise. */
  maxGuesses?: number;
};

/** A registration as the device makes it, with one request for each realm in the order of the configuration. */
export type VaultRegistration = {
  context: VaultContext;
  /** For the key log, 32 bytes. */
  digest: Uint8Array;
  /** Secret; the caller wipes them once they are sent. */
  requests: Uint8Array[];
};

export type RegistrationSecrets = {
  pin: Pin;
  /** 32 bytes; the caller wipes them. */
  rootSecret: Uint8Array;
  /** Seed of the account identity key that the new records name. */
  identitySeed: Uint8Array;
  /** Seed of the identity key that the present records name; the same unless it has just been rotated. */
  signerSeed: Uint8Array;
};

/**
 * Makes a registration: a new key of the oblivious function and a new wrapping scalar, both shared among the realms. Whether
 * the PIN may be chosen is `judgePin`'s to say, before.
 *
 * What is random is drawn in this order, so that the same bytes make the same registration anywhere: version (16), function's
 * key (64, reduced), its polynomial's coefficients from the lowest (64 each), signing key (32), wrapping scalar (64), its
 * coefficients (64 each), then the request's id for each realm (16).
 * @throws RangeError for a root secret of another size, or a plan out of bounds.
 */
export async function createRegistration(
  plan: RegistrationPlan,
  secrets: RegistrationSecrets,
  stretch: Stretch,
  random: Random,
): Promise<VaultRegistration> {
  const { account, configuration, parameters, replaces, maxGuesses = VaultLimits.guesses } = plan;
  const { realms, threshold } = configuration;
  if (replaces.length !== realms.length || maxGuesses < 1 || maxGuesses > VaultLimits.guesses) {
    throw new RangeError('a plan names what each realm has, and 1 to 10 guesses');
  }
  if (secrets.rootSecret.length !== VaultLimits.rootSecretBytes) {
    throw new RangeError('a root secret has 32 bytes');
  }

  const context = new VaultContext(account, bytesToUuid(random(16)), configuration.digest, parameters);
  const key = randomScalar(random);
  const keyShares = splitScalar(key, threshold, realms.length, random);
  const signingSeed = random(32);
  const scalar = randomScalar(random);
  const rootShares = splitScalar(scalar, threshold, realms.length, random);

  const stretched = await StretchedPin.derive(secrets.pin, context, stretch);
  const accessKey = stretched.accessKey;
  const output = evaluateInput(writeScalar(key), accessKey);
  const unlockKey = new UnlockKey(context, output);
  const encryptedRoot = stretched.encryptRoot(scalar, secrets.rootSecret);
  const verifyingKey = publicKeyOf(signingSeed);
  const identityKey = publicKeyOf(secrets.identitySeed);

  const requests = realms.map((realm, i) => {
    const index = i + 1;
    const requestId = bytesToUuid(random(16));
    const keyShare = keyShares[i] as bigint;
    const rootShare = writeScalar(rootShares[i] as bigint);
    const unlockCommitment = unlockKey.commitment;
    const publicShare = publicElement(keyShare);
    const encoding = register2Request.encode(requestId, {
      replaces: replaces[i] as string,
      account,
      version: context.version,
      configurationDigest: configuration.digest,
      parameters: encodeParameters(parameters),
      realm,
      index,
      verifyingKey,
      certificate: signShare(signingSeed, context, { realm, index, publicShare, unlockCommitment }),
      keyShare: writeScalar(keyShare),
      unlockCommitment,
      unlockTag: unlockKey.tag(realm, index),
      rootShare,
      encryptedRoot,
      shareCommitment: unlockKey.shareCommitment(realm, index, rootShare, encryptedRoot),
      maxGuesses,
      identityKey,
      signature: new Uint8Array(64),
    });
    return signMessage(encoding, secrets.signerSeed, { account, realm });
  });

  wipe(accessKey, output, signingSeed);
  stretched.wipe();
  unlockKey.wipe();
  return { context, digest: vaultDigest(context, verifyingKey), requests };
}
