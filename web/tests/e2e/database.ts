import postgres from 'postgres';

export type Access = { port: number; password: string };

/** Does something in the server's database, as its owner. */
export async function inDatabase<T>({ port, password }: Access, act: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres({
    host: '127.0.0.1',
    port,
    username: 'chatpay',
    database: 'chatpay',
    password,
    max: 1,
    ssl: false,
  });
  try {
    return await act(sql);
  } finally {
    await sql.end();
  }
}
