import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const deadlineMs = 240_000;

/** The SDK's sample, `samples/GreetingBot`, as a process of its own on a folder of its own. */
export class GreetingBot {
  readonly #folder = mkdtempSync(join(tmpdir(), 'chatpay-bot-'));
  #process: ChildProcess | null = null;
  #errors = '';

  private constructor(
    readonly server: string,
    readonly password: string,
  ) {}

  static async start(server: string, password: string): Promise<GreetingBot> {
    const bot = new GreetingBot(server, password);
    await bot.run();
    return bot;
  }

  /** What it has said of errors since its first start. */
  get errors(): string {
    return this.#errors;
  }

  /** Completes when it says that it is ready. */
  async run(): Promise<void> {
    const child = spawn(
      process.env.DOTNET_HOST_PATH ?? 'dotnet',
      [program(), this.server, join(this.#folder, 'keys')],
      {
        env: { ...process.env, BOT_PASSWORD: this.password },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#process = child;
    process.once('exit', () => child.kill('SIGKILL'));
    child.stderr?.on('data', (part: Buffer) => {
      this.#errors += part.toString();
    });
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`The bot ${why}:\n${this.#errors}`));
      const timer = setTimeout(() => fail('did not get ready'), deadlineMs);
      let text = '';
      child.stdout?.on('data', (part: Buffer) => {
        text += part.toString();
        if (text.includes('is ready.')) {
          clearTimeout(timer);
          resolve();
        }
      });
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        if (this.#process === child) {
          this.#errors += `It ended with ${code ?? signal}.`;
        }
        fail(`ended with ${code ?? signal}`);
      });
    });
  }

  /** SIGKILL, whatever it is doing. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }
  }

  /** Ends it, and deletes its keys. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** The one built last. */
function program(): string {
  const [newest] = ['Debug', 'Release']
    .map((configuration) => join(repository, `samples/GreetingBot/bin/${configuration}/net10.0/GreetingBot.dll`))
    .filter((path) => existsSync(path))
    .sort((x, y) => statSync(y).mtimeMs - statSync(x).mtimeMs);
  if (!newest) {
    throw new Error('The bot is not built; run: dotnet build samples/GreetingBot');
  }
  return newest;
}
