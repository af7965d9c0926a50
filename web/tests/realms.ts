import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RealServer } from './server';

/** Who runs the realms: two parties, one of them twice. */
const operators = ["Ana's", "Ben's", "Ana's"];

/** Three realms of the PIN vault, each a process of its own with its own PostgreSQL, and a server that sends devices there. */
export class RealmTrio {
  private constructor(
    readonly server: RealServer,
    readonly realms: RealServer[],
  ) {}

  static async start(): Promise<RealmTrio> {
    const server = await RealServer.prepare();
    const trio = new RealmTrio(server, []);
    try {
      const { output } = await server.command('vault', 'token-key');
      const tokenKey = output.match(/[A-Za-z0-9+/]{43}=/)?.[0];
      if (!tokenKey) {
        throw new Error(`The server names no token key:\n${output}`);
      }
      const settings: Record<string, string> = { Vault__Threshold: '2' };
      for (const [index, operator] of operators.entries()) {
        const realm = await RealServer.start({
          Hosting__Role: 'Realm',
          Hosting__AllowedOrigins__0: server.url,
          Realm__TokenKey: tokenKey,
        });
        trio.realms.push(realm);
        const [, id = ''] = (await readFile(join(realm.dataFolder, 'vault-keys', 'realm.key'), 'utf8')).split(/\r?\n/);
        settings[`Vault__Realms__${index}__Id`] = id;
        settings[`Vault__Realms__${index}__Address`] = `${realm.url}/`;
        settings[`Vault__Realms__${index}__Operator`] = operator;
      }
      server.configure(settings);
      await server.run();
      return trio;
    } catch (failure) {
      await trio.stop();
      throw failure;
    }
  }

  /** Starts the server again, which names the same realms at other addresses: here another name of the same machine. */
  async move(host: string): Promise<void> {
    await this.server.halt();
    const moved = this.realms.map(({ url }, index): [string, string] => [
      `Vault__Realms__${index}__Address`,
      `${url.replace('localhost', host)}/`,
    ]);
    this.server.configure(Object.fromEntries(moved));
    await this.server.run();
  }

  async stop(): Promise<void> {
    await Promise.all([this.server, ...this.realms].map((one) => one.stop()));
  }
}
