import { fromBase64 } from '../../protocol/bytes';
import type * as wire from '../../protocol/wire';
import { type FakeServer, fail } from './fakeServer';

type Kept = { archive: string; streams: Map<string, string[]> };

const pageChunks = 16;

/** The archives of the accounts, as far as the client's tests need them. */
export class FakeArchive {
  readonly kept = new Map<string, Kept>();
  maximumBytes = 1024 * 1024;
  isOff = false;

  constructor(readonly server: FakeServer) {}

  view(account: string): wire.ArchiveView {
    if (this.isOff) {
      fail(7010, 'archive_off');
    }
    const kept = this.kept.get(account);
    const streams = [...(kept?.streams ?? [])].map(([device, chunks]) => ({ device, chunks: chunks.length }));
    // As the real server, which leaves out what is null.
    const on = kept ? { archive: kept.archive } : {};
    return { ...on, bytes: this.#bytes(kept), maximumBytes: this.maximumBytes, streams };
  }

  turnOn(account: string, archive: string): wire.ArchiveView {
    const known = this.kept.get(account);
    if (known && known.archive !== archive) {
      fail(7006, 'archive_exists', { archive: known.archive });
    }
    if (!known) {
      this.kept.set(account, { archive, streams: new Map() });
      this.#tell(account);
    }
    return this.view(account);
  }

  delete(account: string, archive: string): void {
    if (this.kept.get(account)?.archive === archive) {
      this.kept.delete(account);
      this.#tell(account);
    }
  }

  store(account: string, device: string, archive: string, number: number, sealed: string): void {
    const kept = this.#of(account, archive);
    const stream = kept.streams.get(device) ?? [];
    if (stream[number] === sealed) {
      return;
    }
    if (number !== stream.length) {
      fail(7008, 'archive_chunk_conflict', { next: stream.length });
    }
    if (this.#bytes(kept) + fromBase64(sealed).length > this.maximumBytes) {
      fail(7009, 'archive_full', { maximumBytes: this.maximumBytes });
    }
    kept.streams.set(device, [...stream, sealed]);
  }

  page(account: string, archive: string, device: string, from: number): wire.ArchivePage {
    const stream = this.#of(account, archive).streams.get(device) ?? [];
    const chunks = stream.slice(from, from + pageChunks);
    const next = from + chunks.length;
    return next < stream.length ? { chunks, next } : { chunks };
  }

  #of(account: string, archive: string): Kept {
    const kept = this.kept.get(account);
    return kept?.archive === archive ? kept : fail(7007, 'archive_unknown');
  }

  #bytes(kept: Kept | undefined): number {
    return [...(kept?.streams.values() ?? [])].flat().reduce((sum, chunk) => sum + fromBase64(chunk).length, 0);
  }

  #tell(account: string): void {
    for (const client of this.server.connections) {
      if (client.device?.account === account) {
        client.deliver((listener) => listener.keys({ account, length: 0, attempt: null, wait: null }));
      }
    }
  }
}
