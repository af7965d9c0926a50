import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const built = '../../ChatPay.Server/bin/Debug/net10.0/ChatPay.Server.dll';

/** The real server in a process of its own, on the embedded PostgreSQL, with a data folder of its own. */
export class RealServer {
  #process: ChildProcess | null = null;
  #output = '';
  url = '';

  private constructor(
    readonly folder: string,
    readonly settings: Record<string, string>,
  ) {}

  static async start(settings: Record<string, string> = {}): Promise<RealServer> {
    const folder = await mkdtemp(join(tmpdir(), 'chatpay-web-'));
    const server = new RealServer(folder, settings);
    await server.run();
    return server;
  }

  async run(): Promise<void> {
    const dll = process.env.CHATPAY_SERVER_DLL ?? fileURLToPath(new URL(built, import.meta.url));
    if (!existsSync(dll)) {
      throw new Error(`the server is not built: ${dll}; run dotnet build ChatPay.Server first`);
    }
    // A port that stays over restarts, so that clients find the server again.
    const port = this.url === '' ? '0' : new URL(this.url).port;
    this.#output = '';
    const child = spawn('dotnet', [dll, 'serve', '--port', port, '--data', join(this.folder, 'data')], {
      env: {
        ...process.env,
        ASPNETCORE_ENVIRONMENT: 'Development',
        // Many devices of one address sign up within seconds.
        RateLimits__SignInPerMinute: '10000',
        RateLimits__WritesPerMinute: '100000',
        RateLimits__ReadsPerMinute: '100000',
        Realtime__WritesPerSecond: '2000',
        Realtime__WriteBurst: '5000',
        Realtime__ReadsPerSecond: '2000',
        Realtime__ReadBurst: '5000',
        ...this.settings,
      },
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    child.stdout.on('data', (data) => this.#read(data));
    child.stderr.on('data', (data) => this.#read(data));
    const deadline = Date.now() + 90_000;
    while (!(await this.#ready())) {
      if (child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`the server did not start:\n${this.#output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  #read(data: Buffer): void {
    this.#output = (this.#output + data.toString()).slice(-200_000);
  }

  get output(): string {
    return this.#output;
  }

  async #ready(): Promise<boolean> {
    const found = /https?:\/\/[\w.[\]-]+:\d+/.exec(this.#output);
    if (!found) {
      return false;
    }
    this.url = found[0].replace('localhost', '127.0.0.1');
    try {
      return (await fetch(`${this.url}/health/ready`)).ok;
    } catch {
      return false;
    }
  }

  /** As a power cut for the server's process; its database finds out by itself. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
    await rm(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child && child.exitCode === null) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill(signal);
      await gone;
    }
  }
}
