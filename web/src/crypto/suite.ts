import { type CiphersuiteImpl, getCiphersuiteFromName, getCiphersuiteImpl } from 'ts-mls';

export const suiteName = 'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519' as const;

let suite: Promise<CiphersuiteImpl> | null = null;

export function getSuite(): Promise<CiphersuiteImpl> {
  suite ??= loadSuite();
  return suite;
}

async function loadSuite(): Promise<CiphersuiteImpl> {
  const native = await getCiphersuiteImpl(getCiphersuiteFromName(suiteName));
  return (await hasNativeEd25519()) ? native : { ...native, signature: await portableEd25519() };
}

async function hasNativeEd25519(): Promise<boolean> {
  try {
    await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
    return true;
  } catch {
    return false;
  }
}

/** For browsers whose WebCrypto has no Ed25519 yet. */
async function portableEd25519(): Promise<CiphersuiteImpl['signature']> {
  const { ed25519 } = await import('@noble/curves/ed25519.js');
  return {
    sign: async (key, message) => ed25519.sign(message, key),
    verify: async (key, message, signature) => ed25519.verify(signature, message, key),
    keygen: async () => {
      const signKey = ed25519.utils.randomSecretKey();
      return { signKey, publicKey: ed25519.getPublicKey(signKey) };
    },
  };
}
