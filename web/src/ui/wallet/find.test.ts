import { expect, test } from 'vitest';
import { en } from '../../i18n/en';
import type { StatementEntry } from '../../state/contract';
import { search } from './find';

const eur = { code: 'EUR', exponent: 2 };

function entry(version: number, name: string, postedMinor: bigint, heldMinor = 0n): StatementEntry {
  return {
    version,
    transfer: '',
    kind: heldMinor > 0n ? 'hold' : 'transfer',
    postedMinor,
    heldMinor,
    balanceAfterMinor: 0n,
    counterparty: { id: name, handle: name.toLowerCase().replaceAll(' ', '_'), displayName: name },
    card: null,
    conversation: null,
    at: 0,
  };
}

const entries = [entry(3, 'Tomás Ribeiro', -1299n), entry(2, 'Amina Diallo', 45_000n), entry(1, 'Tomás', 0n, 990n)];
const found = (query: string) => search(entries, query, eur, en, 'en-GB').map(({ version }) => version);

test.each([
  ['', [3, 2, 1]],
  ['tomas', [3, 1]],
  ['@amina', [2]],
  ['12.99', [3]],
  ['12,99', [3]],
  ['€450', [2]],
  ['on hold', [1]],
  ['tomas 12', [3]],
  ['nobody', []],
])('“%s” finds by name, handle, amount and kind', (query, versions) => {
  expect(found(query)).toEqual(versions);
});
