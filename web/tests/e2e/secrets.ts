import { type Access, inDatabase } from './database';

export type Held = { where: string; bytes: Buffer };

/** Every value of every column of every table, as bytes, named after its column. */
export function readEverything(access: Access): Promise<Held[]> {
  return inDatabase(access, async (sql) => {
    const columns = await sql`
      select c.table_schema as schema, c.table_name as table, c.column_name as column
      from information_schema.columns c
      join information_schema.tables t using (table_schema, table_name)
      where t.table_type = 'BASE TABLE' and c.table_schema not in ('pg_catalog', 'information_schema')`;
    const held: Held[] = [];
    for (const { schema, table, column } of columns) {
      // As text, which shows bytea, also inside arrays, as \x and hex digits.
      const rows = await sql`
        select ${sql(column)}::text as value from ${sql(schema)}.${sql(table)} where ${sql(column)} is not null`;
      for (const { value } of rows) {
        held.push(...valuesOf(`${table}.${column}`, value as string));
      }
    }
    return held;
  });
}

function valuesOf(where: string, text: string): Held[] {
  const values = [{ where, bytes: Buffer.from(text) }];
  for (const [, digits] of text.matchAll(/\\x([0-9a-f]*)/g)) {
    values.push({ where, bytes: Buffer.from(digits ?? '', 'hex') });
  }
  return values;
}

/** The forms in which a text could lie in a file without being seen. */
export function disguises(text: string): Record<string, Buffer[]> {
  const bytes = Buffer.from(text);
  const hex = bytes.toString('hex');
  const base64 = [0, 1, 2].map((before) => base64Inside(bytes, before));
  return {
    'UTF-8': [bytes],
    'UTF-16': [Buffer.from(text, 'utf16le'), Buffer.from(text, 'utf16le').swap16()],
    hex: [Buffer.from(hex), Buffer.from(hex.toUpperCase())],
    base64: base64.map((form) => Buffer.from(form)),
    base64url: base64.map((form) => Buffer.from(form.replaceAll('+', '-').replaceAll('/', '_'))),
  };
}

/** What is the same in the base64 of every text with this one in it, starting `before` bytes into a group of three. */
function base64Inside(bytes: Buffer, before: number): string {
  const padded = Buffer.concat([Buffer.alloc(before), bytes]);
  const whole = padded.length - (padded.length % 3);
  return padded
    .subarray(0, whole)
    .toString('base64')
    .slice(before === 0 ? 0 : 4);
}

/** The places that hold the text, each once. */
export function find(text: string, held: Held[]): string[] {
  const forms = Object.values(disguises(text)).flat();
  const places = held.filter(({ bytes }) => forms.some((form) => bytes.includes(form))).map(({ where }) => where);
  return [...new Set(places)];
}
