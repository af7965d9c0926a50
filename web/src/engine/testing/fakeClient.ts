import type { HubListener, OpenHub, ServerApi } from '../../net/api';
import { fromBody, localError } from '../../protocol/errors';
import type * as wire from '../../protocol/wire';
import { FakeApi } from './fakeApi';
import { eventFor } from './fakeCards';
import { FakeHub } from './fakeHub';
import { type FakeConversation, type FakeDevice, type FakeServer, fail } from './fakeServer';

/** One device's way to the fake server, with a switch for everything that can go wrong on it. */
export class FakeClient {
  device: FakeDevice | null = null;
  up = true;
  /** How many of the next calls are carried out while their answer is lost. */
  loseReplies = 0;
  /** Of which call, where it matters. */
  loseOnly: string | null = null;
  /** Decides whether a pushed event reaches the device. */
  pushes: (event: wire.Event) => boolean = () => true;
  /** Whether it is told that its account's chain has grown. */
  hearsKeys = true;
  /** Calls that the server is too busy for just now. */
  readonly busy = new Set<string>();
  calls: string[] = [];
  /** Told of every call that the server has carried out, before its answer goes back. */
  onCall: (name: string) => void = () => undefined;
  #listener: HubListener | null = null;

  constructor(readonly server: FakeServer) {}

  /** The network goes away. */
  drop(): void {
    const listener = this.#listener;
    this.#listener = null;
    this.server.connections.delete(this);
    listener?.closed();
  }

  deliver(run: (listener: HubListener) => void): void {
    setTimeout(() => {
      if (this.#listener) {
        run(this.#listener);
      }
    }, 0);
  }

  push(event: wire.Event, conversation: FakeConversation | null): void {
    if (this.pushes(event)) {
      const seen = this.server.tamper(eventFor(event, this.device?.account ?? ''), this.device?.id ?? '');
      this.deliver((listener) => listener.events([seen]));
    }
    if (conversation) {
      const view = this.server.view(conversation, this.device?.account ?? '');
      this.deliver((listener) => listener.heads([view]));
    }
  }

  /** Carries out a call as the network and the server let it. */
  async call<T>(name: string, work: () => T): Promise<T> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (!this.up) {
      throw localError('offline');
    }
    if (this.device?.revoked) {
      return fail(2010, 'device_revoked');
    }
    this.calls.push(name);
    if (this.busy.has(name)) {
      throw fromBody({ code: 1007, name: 'overloaded', message: '', retryable: true });
    }
    const value = work();
    this.onCall(name);
    if (this.loseReplies > 0 && (this.loseOnly === null || this.loseOnly === name)) {
      this.loseReplies--;
      this.drop();
      throw localError('offline');
    }
    return structuredClone(value);
  }

  /** The device that calls. */
  me(): FakeDevice {
    return this.device ?? fail(2001, 'unauthenticated');
  }

  /** One that the device's account is in. */
  conversation(id: string): FakeConversation {
    const found = this.server.conversations.get(id);
    return found?.members.has(this.me().account) ? found : fail(3001, 'conversation_unknown');
  }

  readonly api: ServerApi = new FakeApi(this).routes;

  openHub: OpenHub = async (listener) => {
    await this.call('connect', () => undefined);
    this.#listener = listener;
    this.server.connections.add(this);
    return new FakeHub(this).calls;
  };
}
