import { afterEach, describe, expect, it, vi } from 'vitest';
import { ActionError } from '../state/contract';
import type { Hub, HubListener } from './api';
import { Connection } from './connection';
import { fullJitterMs } from './jitter';
import { RestApi } from './rest';

afterEach(() => {
  vi.useRealTimers();
});

const hub = { close: () => undefined } as unknown as Hub;

function connection(open: (listener: HubListener) => Promise<Hub>, greet = async (): Promise<void> => undefined) {
  const states: [string, number | null][] = [];
  const nothing = () => undefined;
  const made = new Connection(open, {
    greet,
    changed: (state, retryInMs) => void states.push([state, retryInMs]),
    lost: nothing,
    events: nothing,
    heads: nothing,
    deviceMessages: nothing,
    receipts: nothing,
    ephemeral: nothing,
    presence: nothing,
    walletChanged: nothing,
    control: nothing,
    keys: nothing,
  });
  return { made, states };
}

describe('Connection', () => {
  it('tries again with growing, capped, fully jittered delays', async () => {
    vi.useFakeTimers();
    let tries = 0;
    const { made, states } = connection(async () => {
      tries++;
      throw new Error('no');
    });
    made.start();
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    made.stop();
    const waits = states.map(([, wait]) => wait).filter((wait) => wait !== null);
    expect(tries).toBeGreaterThan(10);
    expect(Math.max(...waits)).toBeLessThanOrEqual(30_000);
    expect(waits[0]).toBeLessThanOrEqual(500);
    const before = tries;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(tries).toBe(before);
  });

  it('waits as long as the server asks, and up to as long again', async () => {
    vi.useFakeTimers();
    const { made, states } = connection(async () => hub);
    made.start();
    await vi.advanceTimersByTimeAsync(1);
    expect(states.at(-1)).toEqual(['online', null]);
    made.reconnectAfter(5000);
    const wait = states.at(-1)?.[1] ?? 0;
    expect(wait).toBeGreaterThanOrEqual(5000);
    expect(wait).toBeLessThan(10_000);
    await vi.advanceTimersByTimeAsync(wait);
    expect(states.at(-1)).toEqual(['online', null]);
    made.stop();
  });

  it('greets a busy server again on the same connection, when it said and not in step', async () => {
    vi.useFakeTimers();
    const busy = new ActionError({ code: 1007, name: 'overloaded', retryable: true, details: { retryAfterMs: 1000 } });
    const greeted: number[] = [];
    let opened = 0;
    const { made, states } = connection(
      async () => {
        opened++;
        return hub;
      },
      async () => {
        greeted.push(Date.now());
        if (greeted.length < 3) {
          throw busy;
        }
      },
    );
    made.start();
    await vi.advanceTimersByTimeAsync(4000);
    expect(states.at(-1)).toEqual(['online', null]);
    expect([opened, greeted.length]).toEqual([1, 3]);
    const waits = greeted.slice(1).map((at, index) => at - (greeted[index] ?? 0));
    for (const wait of waits) {
      expect(wait).toBeGreaterThanOrEqual(1000);
      expect(wait).toBeLessThan(2000);
    }
    made.stop();
  });

  it('stays away as long as a server asks that does not greet it', async () => {
    vi.useFakeTimers();
    const stopping = new ActionError({
      code: 1008,
      name: 'unavailable',
      retryable: true,
      details: { retryAfterMs: 4000 },
    });
    const { made, states } = connection(
      async () => hub,
      async () => Promise.reject(stopping),
    );
    made.start();
    await vi.advanceTimersByTimeAsync(1);
    expect(states.at(-1)?.[1]).toBeGreaterThanOrEqual(4000);
    made.stop();
  });

  it('comes back at once when told to', async () => {
    vi.useFakeTimers();
    let up = false;
    const { made, states } = connection(async () => (up ? hub : Promise.reject(new Error('no'))));
    made.start();
    await vi.advanceTimersByTimeAsync(0);
    up = true;
    made.reconnectNow();
    await vi.advanceTimersByTimeAsync(0);
    expect(states.at(-1)).toEqual(['online', null]);
    made.stop();
  });

  it('spreads its delays over the whole range', () => {
    expect(fullJitterMs(3, 500, 30_000, () => 0)).toBe(0);
    expect(fullJitterMs(3, 500, 30_000, () => 0.999)).toBe(3996);
    expect(fullJitterMs(50, 500, 30_000, () => 0.5)).toBe(15_000);
  });
});

describe('RestApi', () => {
  const answering = (...answers: (() => Response | Promise<Response>)[]) => {
    const requests: { url: string; init: RequestInit }[] = [];
    const fetch = async (url: string | URL | Request, init: RequestInit = {}) => {
      requests.push({ url: String(url), init });
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      return (answer as () => Response)();
    };
    return { requests, api: new RestApi({ baseUrl: 'http://x', session: 'token', token: 't', fetch: fetch as never }) };
  };
  const problem = (status: number, code: number, name: string, retryable: boolean) => () =>
    new Response(JSON.stringify({ code, name, retryable, details: { seq: 7 } }), { status });

  it('turns problem details into the catalogue error', async () => {
    const { api, requests } = answering(problem(409, 3006, 'stale_epoch', false));
    await expect(api.groupInfo('c')).rejects.toMatchObject({
      info: { code: 3006, name: 'stale_epoch', retryable: false, details: { seq: 7 } },
    });
    expect(requests).toHaveLength(1);
    expect(requests[0]?.init.headers).toMatchObject({ authorization: 'Bearer t' });
  });

  it('follows the pages of conversations, also where a server knows none', async () => {
    const page = (from: number, count: number) => () =>
      new Response(JSON.stringify(Array.from({ length: count }, (_, i) => ({ id: `c${from + i}` }))));
    const { api, requests } = answering(page(0, 100), page(100, 100), page(200, 3));
    expect((await api.conversations()).map(({ id }) => id)).toEqual(Array.from({ length: 203 }, (_, i) => `c${i}`));
    expect(requests.map(({ url }) => url)).toEqual([
      'http://x/v1/conversations?limit=100',
      'http://x/v1/conversations?limit=100&after=c99',
      'http://x/v1/conversations?limit=100&after=c199',
    ]);
    for (const count of [100, 250]) {
      const old = answering(page(0, count));
      expect(await old.api.conversations()).toHaveLength(count);
      expect(old.requests.length).toBeLessThanOrEqual(2);
    }
  });

  it('repeats what may be repeated, and sign-up not', async () => {
    const down = () => Promise.reject(new TypeError('network'));
    const { api, requests } = answering(
      down,
      problem(503, 1007, 'overloaded', true),
      () => new Response('{"balances":[]}'),
    );
    expect(await api.wallet()).toEqual({ balances: [] });
    expect(requests).toHaveLength(3);
    const once = answering(down);
    const device = { name: 'd', signatureKey: '' };
    await expect(
      once.api.signUp({ handle: 'a', displayName: 'A', password: 'p', device, session: 'token' }),
    ).rejects.toThrow('offline');
    expect(once.requests).toHaveLength(1);
    await expect(once.api.askRealm('r', 'AA==')).rejects.toThrow('offline');
    expect(once.requests).toHaveLength(2);
  });

  it('does not take a proxy page for an answer', async () => {
    await expect(answering(() => new Response('<html>', { status: 404 })).api.me()).rejects.toThrow('unexpected');
    await expect(answering(() => new Response('<html>')).api.me()).rejects.toThrow('unexpected');
    expect(await answering(() => new Response(null, { status: 204 })).api.endSession()).toBeUndefined();
  });
});
