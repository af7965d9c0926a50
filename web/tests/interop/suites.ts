import {
  type AeadEncryptionContext,
  type AeadInterface,
  CipherSuite,
  DhkemX25519HkdfSha256,
  HkdfSha256,
} from '@hpke/core';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { type CiphersuiteImpl, getCiphersuiteImpl } from 'ts-mls';
import { getCiphersuiteFromId } from 'ts-mls/crypto/ciphersuite.js';
import { makeGenericHpke } from 'ts-mls/crypto/implementation/hpke.js';

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const chachaId = 3;

/** Suite 0x0001 as ts-mls has it, or 0x0003. */
export async function loadSuite(id: number): Promise<CiphersuiteImpl> {
  const aes = await getCiphersuiteImpl(getCiphersuiteFromId(1));
  return id === 3 ? makeChaCha(aes) : aes;
}

/**
 * ts-mls takes its ChaCha20-Poly1305 from @hpke/chacha20poly1305, which this project does not have; @noble/ciphers, which
 * that package wraps, does the same here. Everything else of the two suites is the same.
 */
async function makeChaCha(aes: CiphersuiteImpl): Promise<CiphersuiteImpl> {
  const { hpke, name } = getCiphersuiteFromId(3);
  const aead = {
    encrypt: async (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array) =>
      chacha20poly1305(key, nonce, aad).encrypt(plaintext),
    decrypt: async (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array) =>
      chacha20poly1305(key, nonce, aad).decrypt(ciphertext),
  };
  const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: hpkeChaCha });
  return { ...aes, name, hpke: await makeGenericHpke(hpke, aead, suite) };
}

const hpkeChaCha: AeadInterface = {
  id: chachaId,
  keySize: keyBytes,
  nonceSize: nonceBytes,
  tagSize: tagBytes,
  createEncryptionContext(key): AeadEncryptionContext {
    const raw = bytesOf(key);
    return {
      seal: async (iv, data, aad) => bufferOf(chacha20poly1305(raw, bytesOf(iv), bytesOf(aad)).encrypt(bytesOf(data))),
      open: async (iv, data, aad) => bufferOf(chacha20poly1305(raw, bytesOf(iv), bytesOf(aad)).decrypt(bytesOf(data))),
    };
  },
};

function bytesOf(data: ArrayBufferLike | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(data)
    ? Uint8Array.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    : Uint8Array.from(new Uint8Array(data));
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}
