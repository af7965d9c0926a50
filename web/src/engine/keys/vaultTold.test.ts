import { expect, it } from 'vitest';
import { fewestWith } from './vaultTold';

const of = (...names: string[]) => names.map((operator) => ({ operator }));

it.each([
  [2, of('Ana', 'Ben', 'Ana'), 1],
  [2, of('Ana', 'Ben', 'Carl'), 2],
  [3, of('Ana', 'Ben', 'Carl', 'Ben', 'Dora'), 2],
  [4, of('Ana', 'Ben', 'Carl', 'Dora', 'Ana'), 3],
  // The server runs them all itself, and names nobody.
  [2, [], 1],
])('A threshold of %i realms is with so few operators (%#)', (threshold, hosts, fewest) => {
  expect(fewestWith(threshold, hosts)).toBe(fewest);
});
