import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ui = fileURLToPath(new URL('.', import.meta.url));
const tokens = readFileSync(join(ui, 'tokens.css'), 'utf8');
const pairs = new Map(
  [...tokens.matchAll(/--(c-[a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map((match) => [
    match[1] ?? '',
    [match[2] ?? '', match[3] ?? ''] as const,
  ]),
);

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

const surfaces = ['c-canvas', 'c-surface', 'c-raised', 'c-sunken', 'c-hover', 'c-selected', 'c-theirs'];
const money = ['c-money-paper', 'c-money-stub', 'c-quiet-paper', 'c-quiet-stub'];
const readable: [string, string[]][] = [
  ['c-text', [...surfaces, ...money, 'c-bad-tint']],
  ['c-text-2', [...surfaces, ...money]],
  ['c-text-3', ['c-canvas', 'c-surface', 'c-raised', 'c-sunken', 'c-theirs', 'c-quiet-paper', 'c-money-paper']],
  ['c-accent-text', [...surfaces, 'c-accent-tint']],
  ['c-money-text', ['c-canvas', 'c-surface', 'c-raised', 'c-money-paper', 'c-money-stub']],
  ['c-good-text', ['c-canvas', 'c-surface', 'c-good-tint']],
  ['c-bad-text', ['c-canvas', 'c-surface', 'c-raised', 'c-hover', 'c-selected', 'c-bad-tint']],
  ['c-on-accent', ['c-accent', 'c-accent-hover']],
  ['c-on-money', ['c-money', 'c-money-hover']],
  ['c-on-good', ['c-good']],
  ['c-on-bad', ['c-bad', 'c-bad-hover']],
  ['c-on-mine', ['c-mine']],
  ['c-on-mine-2', ['c-mine']],
  ...Array.from({ length: 8 }, (_, i): [string, string[]] => [`c-av${i}-on`, [`c-av${i}`]]),
];

describe('The colour tokens', () => {
  test.each(['light', 'dark'])('Every text role can be read on every surface it stands on (%s)', (theme) => {
    const side = theme === 'light' ? 0 : 1;
    const weak: string[] = [];
    for (const [text, grounds] of readable) {
      for (const ground of grounds) {
        const ratio = contrast(pairs.get(text)?.[side] ?? '#000000', pairs.get(ground)?.[side] ?? '#000000');
        if (ratio < 4.5) {
          weak.push(`${text} on ${ground}: ${ratio.toFixed(2)}`);
        }
      }
    }
    expect(weak).toEqual([]);
  });

  test('No other file has a colour of its own', () => {
    const found: string[] = [];
    for (const entry of readdirSync(ui, { withFileTypes: true, recursive: true })) {
      if (entry.isFile() && /\.(svelte|css)$/.test(entry.name) && entry.name !== 'tokens.css') {
        const text = readFileSync(join(entry.parentPath, entry.name), 'utf8');
        const style = entry.name.endsWith('.css') ? text : (text.match(/<style>[\s\S]*<\/style>/)?.[0] ?? '');
        for (const match of style.matchAll(
          /#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(|\boklch\(|:\s*(white|red|gray|grey|blue)\b/g,
        )) {
          found.push(`${entry.name}: ${match[0]}`);
        }
      }
    }
    expect(found).toEqual([]);
  });
});
