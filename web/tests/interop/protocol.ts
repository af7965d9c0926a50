import { createInterface } from 'node:readline';
import { fromBase64, toBase64 } from '../../src/protocol/bytes';

/** A proposal, made by value or by reference. */
export type Change =
  | { kind: 'add'; keyPackage: Uint8Array }
  | { kind: 'remove'; leaf: number }
  | { kind: 'psk'; id: Uint8Array }
  | { kind: 'resumption'; epoch: number }
  | { kind: 'update' };

/** What a message turned out to be. */
export type Received =
  | { kind: 'application'; sender: number; data: Uint8Array; authenticatedData: Uint8Array }
  | { kind: 'proposal' | 'commit'; authenticatedData: Uint8Array };

/** Marks a string that stands for bytes, in both directions. */
const bytesMark = 'b64:';

/**
 * Answers requests on standard input, one JSON object a line, one after the other, until it ends: `{ op, … }` with
 * `{ result }` or `{ error }`.
 */
export async function serve<Request extends { op: string }>(answer: (request: Request) => Promise<unknown>) {
  for await (const line of createInterface({ input: process.stdin })) {
    let reply: { result: unknown } | { error: string };
    try {
      reply = { result: (await answer(JSON.parse(line, reviveBytes))) ?? null };
    } catch (thrown) {
      reply = { error: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) };
    }
    process.stdout.write(`${JSON.stringify(reply, replaceBytes)}\n`);
  }
}

function reviveBytes(_: string, value: unknown): unknown {
  return typeof value === 'string' && value.startsWith(bytesMark) ? fromBase64(value.slice(bytesMark.length)) : value;
}

function replaceBytes(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? bytesMark + toBase64(value) : value;
}
