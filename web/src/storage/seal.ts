import { fromBase64, fromUtf8, toBase64, utf8 } from '../protocol/bytes';

/**
 * Values at rest are sealed with AES-GCM under a key that WebCrypto does not export. This keeps plaintext and MLS
 * secrets out of casual reach: a copied database file without the browser's own key store, a debugging dump, another
 * program searching the disk. It does not protect against whoever can run script in this origin or use the whole
 * browser profile, because they can use the key as this client does.
 */
export class Sealer {
  readonly #key: CryptoKey;

  constructor(key: CryptoKey) {
    this.#key = key;
  }

  static generateKey(): Promise<CryptoKey> {
    return crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
  }

  /** The place (store and key) is authenticated, so that a sealed value cannot be moved to another one. */
  async seal(place: string, plain: Uint8Array): Promise<Uint8Array> {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const algorithm = { name: 'AES-GCM', iv, additionalData: utf8(place) as Uint8Array<ArrayBuffer> };
    const sealed = await crypto.subtle.encrypt(algorithm, this.#key, plain as Uint8Array<ArrayBuffer>);
    const whole = new Uint8Array(12 + sealed.byteLength);
    whole.set(iv);
    whole.set(new Uint8Array(sealed), 12);
    return whole;
  }

  async open(place: string, sealed: Uint8Array): Promise<Uint8Array> {
    const algorithm = {
      name: 'AES-GCM',
      iv: sealed.slice(0, 12),
      additionalData: utf8(place) as Uint8Array<ArrayBuffer>,
    };
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, this.#key, sealed.slice(12)));
  }
}

/** JSON that carries byte arrays. */
export function pack(value: unknown): Uint8Array {
  return utf8(JSON.stringify(value, (_, part) => (part instanceof Uint8Array ? { $bytes: toBase64(part) } : part)));
}

export function unpack<T>(bytes: Uint8Array): T {
  return JSON.parse(fromUtf8(bytes), (_, part) =>
    part !== null && typeof part === 'object' && typeof part.$bytes === 'string' ? fromBase64(part.$bytes) : part,
  ) as T;
}
