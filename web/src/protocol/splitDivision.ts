/**
 * Divides an amount to the last unit, the same way wherever it is done: what does not divide goes to the first ones, one unit
 * each.
 * @throws RangeError for less than nothing, or nobody
 */
export function divideEqually(totalMinor: bigint, people: number): bigint[] {
  if (totalMinor < 0n || people < 1) {
    throw new RangeError('there is nothing to divide');
  }
  const count = BigInt(people);
  const each = totalMinor / count;
  const more = totalMinor % count;
  return Array.from({ length: people }, (_, place) => each + (BigInt(place) < more ? 1n : 0n));
}

/**
 * By shares, such as nights stayed: rounded down first, then one unit more to those with the largest remainders, the earlier of
 * two that are equal.
 * @param weights whole numbers, none negative, not all zero
 * @throws RangeError for weights that divide nothing
 */
export function divideByShares(totalMinor: bigint, weights: number[]): bigint[] {
  const sum = weights.reduce((all, weight) => all + BigInt(weight), 0n);
  if (totalMinor < 0n || sum <= 0n || weights.some((weight) => weight < 0)) {
    throw new RangeError('shares are not negative, and not all zero');
  }
  const parts = weights.map((weight) => (totalMinor * BigInt(weight)) / sum);
  const remainders = weights.map((weight) => (totalMinor * BigInt(weight)) % sum);
  const left = Number(totalMinor - parts.reduce((all, part) => all + part, 0n));
  const order = weights.map((_, place) => place);
  order.sort((a, b) => Number((remainders[b] as bigint) - (remainders[a] as bigint)) || a - b);
  for (const place of order.slice(0, left)) {
    parts[place] = (parts[place] as bigint) + 1n;
  }
  return parts;
}
