import { KeyChain } from '../../keylog/chain';
import { EntryType, leafOf, readEntry } from '../../keylog/entry';
import { writeNoteVerifier } from '../../keylog/noteVerifier';
import { LogRejection } from '../../keylog/rejection';
import { TestLog } from '../../keylog/testing/testLog';
import { equalBytes, fromBase64, toBase64 } from '../../protocol/bytes';
import type * as wire from '../../protocol/wire';
import { idOf, streamOf } from '../../vault/testing/stream';
import { TestRealm } from '../../vault/testing/testRealm';
import { type FakeDevice, type FakeServer, fail } from './fakeServer';

type Logged = { encoding: Uint8Array; salt: Uint8Array; index: number };

const threshold = 2;

/** The key log, the wrapped keys and the realms of the vault, as far as the client's tests need them. */
export class FakeKeys {
  readonly random = streamOf('fake keys');
  log = new TestLog(this.random(32));
  readonly chains = new Map<string, { chain: KeyChain; entries: Logged[] }>();
  readonly wrapped = new Map<string, wire.WrappedKeysView>();
  readonly realmIds = [1, 2, 3].map((number) => idOf(`realm ${number}`));
  readonly realms = new Map<string, TestRealm[]>();
  readonly realmsDown = new Set<string>();
  /** Called for every chain on its way to a device. */
  tamper: (reply: wire.KeyChainReply) => wire.KeyChainReply = (reply) => reply;

  constructor(readonly server: FakeServer) {}

  view(): wire.KeyLogView {
    return { origin: this.log.identity.origin, verifierKey: writeNoteVerifier(this.log.identity.verifier) };
  }

  isApproved({ account, id, key }: FakeDevice): boolean {
    return this.chains.get(account)?.chain.hasDevice(id, fromBase64(key)) ?? false;
  }

  append(device: FakeDevice, encodings: string[]): wire.KeyChainReply {
    const own = this.#of(device.account);
    const entries = encodings.map((text) => {
      const read = readEntry(fromBase64(text));
      return 'entry' in read ? read.entry : fail(7001, 'key_entry_invalid', { rejection: read.rejection });
    });
    const from = entries[0]?.sequence ?? 0;
    const stored = own.entries.slice(from, from + entries.length);
    const isThere =
      stored.length === entries.length &&
      stored.every(({ encoding }, i) => equalBytes(encoding, entries[i]?.encoding ?? new Uint8Array()));
    if (!isThere) {
      if (from < own.chain.length) {
        fail(7002, 'key_chain_stale', { length: own.chain.length });
      }
      for (const entry of entries) {
        if (entry.type === EntryType.deviceAdded && entry.device !== device.id) {
          fail(3005, 'wrong_device');
        }
        const gone = [...own.chain.devices.keys()];
        const rejection = own.chain.append(entry);
        if (rejection !== LogRejection.none) {
          fail(7001, 'key_entry_invalid', { rejection });
        }
        const salt = this.random(32);
        own.entries.push({ encoding: entry.encoding, salt, index: this.log.append(leafOf(entry, salt)) });
        const revoked =
          entry.type === EntryType.identityReset
            ? gone
            : entry.type === EntryType.deviceRevoked
              ? [entry.device ?? '']
              : [];
        for (const id of revoked.filter((one) => one !== device.id || entry.type === EntryType.deviceRevoked)) {
          this.server.revoke(id);
        }
        if (entry.type === EntryType.identityReset) {
          for (const other of this.server.devices.values()) {
            if (other.account === device.account && other.id !== device.id && !other.revoked) {
              this.server.revoke(other.id);
            }
          }
        }
      }
    }
    for (const client of this.server.connections) {
      if (client.hearsKeys && client.device?.account === device.account) {
        const signal = { account: device.account, length: own.chain.length };
        client.deliver((listener) => listener.keys(signal));
      }
    }
    return this.reply(device.account, from, 0);
  }

  reply(account: string, from: number, size: number): wire.KeyChainReply {
    const { chain, entries } = this.#of(account);
    const newest = this.log.entries.length;
    if (size > newest) {
      fail(7005, 'log_size_unknown');
    }
    return this.tamper({
      account,
      from,
      entries: entries.slice(from, from + 64).map(({ encoding, salt, index }) => ({
        entry: toBase64(encoding),
        salt: toBase64(salt),
        index,
        proof: this.log.inclusion(index).map(toBase64),
      })),
      length: chain.length,
      checkpoint: this.log.note(),
      consistency: size === 0 ? [] : this.log.consistency(size).map(toBase64),
    });
  }

  consistency(from: number, to: number): wire.ConsistencyReply {
    if (to > this.log.entries.length) {
      fail(7005, 'log_size_unknown');
    }
    return { from, to, proof: this.log.consistency(from, to).map(toBase64) };
  }

  store(account: string, revision: number, wrapped: string): wire.WrappedKeysView {
    if (revision !== this.wrappedOf(account).revision) {
      fail(7004, 'wrapped_keys_stale');
    }
    const view = { revision: revision + 1, wrapped };
    this.wrapped.set(account, view);
    return view;
  }

  wrappedOf(account: string): wire.WrappedKeysView {
    return this.wrapped.get(account) ?? { revision: 0, wrapped: null };
  }

  vault(): wire.VaultView {
    return { operators: 1, threshold, realms: this.realmIds };
  }

  realmsOf(account: string): TestRealm[] {
    const inForce = () => this.chains.get(account)?.chain.identityKey ?? null;
    const known =
      this.realms.get(account) ?? this.realmIds.map((id) => new TestRealm(id, account, this.random, inForce));
    this.realms.set(account, known);
    return known;
  }

  ask({ account, id: device }: FakeDevice, realm: string, message: string): wire.VaultExchange {
    const asked = this.#realm(account, realm);
    asked.asking = device;
    return { message: toBase64(asked.answer(fromBase64(message))) };
  }

  attempts(account: string, realm: string): wire.VaultAttempts {
    return this.#realm(account, realm).list();
  }

  /** Some are out of reach at times. */
  #realm(account: string, realm: string): TestRealm {
    if (this.realmsDown.has(realm)) {
      fail(1004, 'unavailable');
    }
    return this.realmsOf(account).find(({ id }) => id === realm) ?? fail(6001, 'realm_unknown');
  }

  #of(account: string): { chain: KeyChain; entries: Logged[] } {
    const known = this.chains.get(account) ?? { chain: new KeyChain(account), entries: [] };
    this.chains.set(account, known);
    return known;
  }
}
