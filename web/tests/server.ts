import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../../', import.meta.url));
/** What the program says once it answers: as a server, or as a realm of the PIN vault alone. */
const readyPattern = /^ChatPay(?: is ready: open |'s realm \S+ is ready at )/m;
const deadlineMs = 240_000;

/** Many people share one address and type faster than people do. */
const wideLimits = {
  RateLimits__SignInPerMinute: '10000',
  RateLimits__WritesPerMinute: '100000',
  RateLimits__ReadsPerMinute: '100000',
  Realtime__WritesPerSecond: '2000',
  Realtime__WriteBurst: '5000',
  Realtime__ReadsPerSecond: '2000',
  Realtime__ReadBurst: '5000',
};

/** The real program with its own PostgreSQL, on a data folder of its own, to be killed and started again. */
export class RealServer {
  readonly dataFolder: string;
  readonly #folder: string;
  readonly #environment: Record<string, string>;
  #process: ChildProcess | null = null;
  #port = 0;
  #output = '';

  private constructor(settings: Record<string, string>) {
    this.#folder = mkdtempSync(join(tmpdir(), 'chatpay-web-'));
    this.dataFolder = join(this.#folder, 'data');
    this.#environment = { ASPNETCORE_ENVIRONMENT: 'Development', ...wideLimits, ...settings };
  }

  /** @param settings of the server, such as `RateLimits__SignInPerMinute`. */
  static async start(settings: Record<string, string> = {}): Promise<RealServer> {
    const server = await RealServer.prepare(settings);
    try {
      await server.run();
    } catch (failure) {
      await server.stop();
      throw failure;
    }
    return server;
  }

  /** With a folder and a port, but not running yet: for what has to be known before. */
  static async prepare(settings: Record<string, string> = {}): Promise<RealServer> {
    const server = new RealServer(settings);
    // PostgreSQL runs as another user when the tests run as root, and must be able to walk there.
    await chmod(server.#folder, 0o711);
    server.#port = await freePort();
    return server;
  }

  /** Settings for the next start. */
  configure(settings: Record<string, string>): void {
    Object.assign(this.#environment, settings);
  }

  /** The same through every restart, so that browsers find it again. */
  get url(): string {
    return `http://localhost:${this.#port}`;
  }

  /** Everything it has written since its first start. */
  get output(): string {
    return this.#output;
  }

  async run(): Promise<void> {
    const child = this.#spawn(['--port', String(this.#port)]);
    this.#process = child;
    process.once('exit', () => child.kill());
    await new Promise<void>((resolve, reject) => {
      let text = '';
      const fail = (why: string) => reject(new Error(`The server ${why}:\n${this.#output}`));
      const timer = setTimeout(() => fail('did not get ready'), deadlineMs);
      child.stdout?.on('data', (part: Buffer) => {
        text += part.toString();
        if (readyPattern.test(text)) {
          clearTimeout(timer);
          resolve();
        }
      });
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        fail(`ended with ${code ?? signal}`);
      });
    });
  }

  /** Ends it with its PostgreSQL, as its operator would; its data stay. */
  halt(): Promise<void> {
    return this.#end('SIGTERM');
  }

  /** SIGKILL, for the server alone: its PostgreSQL is left behind. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Runs another command of the program on the same data folder, such as `ledger verify`. */
  async command(...command: string[]): Promise<{ exitCode: number | null; output: string }> {
    const child = this.#spawn(command);
    let output = '';
    child.stdout?.on('data', (part: Buffer) => {
      output += part.toString();
    });
    child.stderr?.on('data', (part: Buffer) => {
      output += part.toString();
    });
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    return { exitCode, output };
  }

  /** Where its PostgreSQL answers, as the program's own commands find it: from the data folder. */
  async database(): Promise<{ port: number; password: string; logFolder: string }> {
    const elsewhere = join(this.dataFolder, 'postgres-home');
    const home = existsSync(elsewhere) ? (await readFile(elsewhere, 'utf8')).trim() : join(this.dataFolder, 'postgres');
    const cluster = join(home, 'cluster');
    const lines = (await readFile(join(cluster, 'postmaster.pid'), 'utf8')).split('\n');
    const password = (await readFile(join(this.dataFolder, 'postgres-password'), 'utf8')).trim();
    return { port: Number(lines[3]), password, logFolder: join(cluster, 'log') };
  }

  /** Stops server and database, and deletes the data folder. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) {
      return;
    }
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }

  #spawn(options: string[]): ChildProcess {
    const dotnet = process.env.DOTNET_HOST_PATH ?? 'dotnet';
    const child = spawn(dotnet, [program(), ...options, '--data', this.dataFolder], {
      cwd: this.#folder,
      env: { ...process.env, ...this.#environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const take = (part: Buffer) => {
      this.#output += part.toString();
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    return child;
  }
}

/** CHATPAY_SERVER_DLL, else the one built last. */
function program(): string {
  return process.env.CHATPAY_SERVER_DLL ?? newestBuild('ChatPay.Server', 'ChatPay.Server.dll');
}

/** What a project's last build made. */
export function newestBuild(project: string, file: string): string {
  const [newest] = ['Debug', 'Release']
    .map((configuration) => join(repository, `${project}/bin/${configuration}/net10.0/${file}`))
    .filter((path) => existsSync(path))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  if (!newest) {
    throw new Error(`It is not built; run: dotnet build ${project}`);
  }
  return newest;
}

/** The server's log of its PostgreSQL, all files in one text. */
export function readFolder(folder: string): string {
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, 'localhost', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') {
    throw new Error('There is no free port.');
  }
  return address.port;
}
