import { describe, expect, it } from 'vitest';
import type { PinConsent } from '../state/contract';
import type { FakeServer } from './testing/fakeServer';
import { keep, pair } from './testing/people';
import { byPin, nextPin, pin, quiet } from './testing/pins';
import { TestDevice, until } from './testing/testDevice';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const payPinOf = (device: TestDevice) => device.engine.services.payPin;
const typed = (text: string): PinConsent => ({ pin: text, tell: quiet });

const transfer = (id: string, other: TestDevice, amountMinor = 10_001n) => ({
  conversation: id,
  kind: 'transfer' as const,
  other: other.account,
  amountMinor,
  asset: 'EUR',
  memo: '',
});

/** Two people, of whom ann has set a PIN on her device; its clock goes on by hand. */
async function house() {
  const made = await pair();
  await payPinOf(made.ann).set(pin, quiet);
  return { ...made, clock: clockOf(made.ann) };
}

function clockOf(device: TestDevice) {
  const clock = { nowMs: Date.now() };
  payPinOf(device).now = () => clock.nowMs;
  return clock;
}

function paid(server: FakeServer): number {
  return server.debits.taken.length;
}

async function refused(work: Promise<unknown>, name: string): Promise<Record<string, unknown>> {
  const thrown = await work.then(
    () => null,
    (error) => error,
  );
  expect(thrown?.info?.name).toBe(name);
  return thrown.info.details ?? {};
}

describe('the PIN before money leaves', () => {
  it('is asked for by all that a standing payment may take', async () => {
    const { server, id, ann, bob } = await house();
    const daily = (days: number) => ({
      ...transfer(id, bob, 1_000n),
      kind: 'mandate' as const,
      plan: { period: 'day' as const },
      lifetimeSeconds: days * 24 * 3600,
    });
    await refused(ann.engine.postCard(daily(10)), 'pay_pin_needed');
    expect(server.debits.shown).toHaveLength(0);
    await ann.engine.postCard(daily(9));
    await ann.engine.postCard(daily(10), typed(pin));
    expect(paid(server)).toBe(2);
  });

  it('is asked for above the limit, and not at it', async () => {
    const { server, id, ann, bob } = await house();
    expect(payPinOf(ann).status).toMatchObject({ state: 'ready', triesLeft: 10, waitUntil: 0 });
    await ann.engine.postCard(transfer(id, bob, 10_000n));
    expect(paid(server)).toBe(1);
    await refused(ann.engine.postCard(transfer(id, bob)), 'pay_pin_needed');
    expect(await refused(ann.engine.postCard(transfer(id, bob), typed(nextPin)), 'pay_pin_wrong')).toMatchObject({
      triesLeft: 9,
    });
    expect(server.debits.shown).toHaveLength(1);
    await ann.engine.postCard(transfer(id, bob), typed('480 279'));
    expect(paid(server)).toBe(2);
    expect(payPinOf(ann).status.triesLeft).toBe(10);
  });

  it('is asked for before a request is paid, by the terms that were checked', async () => {
    const { server, id, ann, bob } = await house();
    await bob.engine.postCard({ ...transfer(id, ann), kind: 'request' });
    const card = async () => (await ann.items(id)).find((item) => item.type === 'card')?.card;
    await until(async () => (await card()) !== undefined, 'ann is asked');
    const { id: asked } = (await card()) ?? { id: '' };
    await refused(ann.engine.actOnCard(asked, 'pay'), 'pay_pin_needed');
    await refused(ann.engine.actOnCard(asked, 'pay', typed('1111')), 'pay_pin_wrong');
    expect((await card())?.busy).toBe(false);
    expect(server.debits.shown).toEqual([]);
    await ann.engine.actOnCard(asked, 'pay', typed(pin));
    expect((await card())?.state).toBe('paid');
  });

  it('is not asked for where no money leaves, nor where there is no PIN', async () => {
    const { server, id, ann, bob } = await house();
    await ann.engine.postCard({ ...transfer(id, bob), kind: 'request' });
    await bob.engine.postCard(transfer(id, ann));
    expect(payPinOf(bob).status.state).toBe('off');
    expect(paid(server)).toBe(1);
    const shown = (await ann.items(id)).flatMap((item) => (item.type === 'card' ? [item.card] : []));
    const mine = shown.find((card) => card.kind === 'request')?.id ?? '';
    await ann.engine.actOnCard(mine, 'cancel');
    expect(paid(server)).toBe(1);
  });

  it('goes nowhere: nothing is asked of the server to check it', async () => {
    const { id, ann, bob, annClient } = await house();
    await ann.settled();
    annClient.calls = [];
    await refused(ann.engine.postCard(transfer(id, bob), typed(nextPin)), 'pay_pin_wrong');
    expect(annClient.calls).toEqual([]);
    await ann.engine.postCard(transfer(id, bob), typed(pin));
    expect(annClient.calls.filter((call) => call !== 'mark')).toEqual(['cardAct']);
  });

  it('uses up no try where there is no connection', async () => {
    const { id, ann, bob, annClient } = await house();
    annClient.up = false;
    annClient.drop();
    await refused(ann.engine.postCard(transfer(id, bob), typed(nextPin)), 'offline');
    expect(payPinOf(ann).status.triesLeft).toBe(10);
  });
});

describe('wrong tries', () => {
  it('are slowed from the third on, and counted before they are looked at', async () => {
    const { id, ann, bob, clock } = await house();
    for (const waitMs of [0, 0, minuteMs / 2]) {
      expect(await refused(ann.engine.postCard(transfer(id, bob), typed(nextPin)), 'pay_pin_wrong')).toMatchObject({
        waitMs,
      });
    }
    // Also the right one waits, and it is not looked at.
    expect(await refused(ann.engine.postCard(transfer(id, bob), typed(pin)), 'pay_pin_waits')).toMatchObject({
      waitMs: minuteMs / 2,
    });
    await ann.reload();
    expect(payPinOf(ann).status).toMatchObject({ triesLeft: 7 });
    expect(payPinOf(ann).status.waitUntil).toBeGreaterThan(0);
    await ann.online();
    clock.nowMs += minuteMs;
    payPinOf(ann).now = () => clock.nowMs;
    await ann.engine.postCard(transfer(id, bob), typed(pin));
    expect(payPinOf(ann).status).toMatchObject({ triesLeft: 10, waitUntil: 0 });
  });

  it('of one moment are tried one after the other', async () => {
    const { id, ann, bob } = await house();
    const names = await Promise.all(
      Array.from({ length: 6 }, () =>
        ann.engine.postCard(transfer(id, bob), typed(nextPin)).catch((error) => error.info.name),
      ),
    );
    expect(names.filter((name) => name === 'pay_pin_wrong')).toHaveLength(3);
    expect(names.filter((name) => name === 'pay_pin_waits')).toHaveLength(3);
  });

  it('end after ten: then only the vault tells, and a clock that is set back makes no wait longer', async () => {
    const { server, id, ann, bob, clock } = await house();
    for (let left = 9; left > 0; left--) {
      expect(await refused(ann.engine.postCard(transfer(id, bob), typed(nextPin)), 'pay_pin_wrong')).toMatchObject({
        triesLeft: left,
      });
      clock.nowMs -= dayMs;
      expect(payPinOf(ann).status.waitUntil - Date.now()).toBeLessThanOrEqual(15 * minuteMs);
      clock.nowMs += dayMs + 15 * minuteMs;
    }
    await refused(ann.engine.postCard(transfer(id, bob), typed(nextPin)), 'pay_pin_wrong');
    expect(payPinOf(ann).status.state).toBe('unseen');
    await refused(ann.engine.postCard(transfer(id, bob), typed(pin)), 'pay_pin_unseen');
    expect(paid(server)).toBe(0);
    await payPinOf(ann).recover(pin, quiet);
    await ann.engine.postCard(transfer(id, bob), typed(pin));
    expect(paid(server)).toBe(1);
  });

  it('are none where it is no PIN at all', async () => {
    const { id, ann, bob } = await house();
    await refused(ann.engine.postCard(transfer(id, bob), typed('12')), 'pay_pin_wrong');
    expect(payPinOf(ann).status.triesLeft).toBe(10);
  });
});

describe('a device that has not seen the PIN', () => {
  it('says so, and lets the vault check it once', async () => {
    const { server, id, ann, bob } = await house();
    const second = keep(await TestDevice.signIn('ann', server.client(), ann));
    expect(payPinOf(second).status.state).toBe('unseen');
    await until(() => second.screen.list.some((known) => known.id === id), 'it has the conversation');
    await refused(second.engine.postCard(transfer(id, bob), typed(pin)), 'pay_pin_unseen');
    await expect(payPinOf(second).recover(nextPin, quiet)).rejects.toThrow('wrong_pin');
    expect(payPinOf(second).status.state).toBe('unseen');
    await payPinOf(second).recover(pin, quiet);
    expect(payPinOf(second).status.state).toBe('ready');
    await second.engine.postCard(transfer(id, bob), typed(pin));
    expect(paid(server)).toBe(1);
  });

  it('is also one whose account set another PIN elsewhere', async () => {
    const { server, ann } = await house();
    const second = await byPin(server, ann, pin);
    await payPinOf(second).recover(pin, quiet);
    await payPinOf(second).set(nextPin, quiet);
    await until(() => payPinOf(ann).status.state === 'unseen', 'ann’s first device knows that it is another one');
  });
});

describe('a PIN that was set without the one before', () => {
  it('counts for payments after a day; until then the one before is asked for', async () => {
    const { server, id, ann, bob, clock } = await house();
    await payPinOf(ann).set(nextPin, quiet);
    expect(payPinOf(ann).status).toMatchObject({ state: 'earlier' });
    expect(Math.abs((payPinOf(ann).status.until ?? 0) - Date.now() - dayMs)).toBeLessThan(minuteMs);
    await refused(ann.engine.postCard(transfer(id, bob), typed(nextPin)), 'pay_pin_wrong');
    await ann.engine.postCard(transfer(id, bob), typed(pin));
    // Nor does it help to set yet another one.
    await payPinOf(ann).set('771144', quiet);
    await refused(ann.engine.postCard(transfer(id, bob), typed('771144')), 'pay_pin_wrong');
    clock.nowMs += dayMs + 1;
    expect(payPinOf(ann).status.state).toBe('ready');
    await ann.engine.postCard(transfer(id, bob), typed('771144'));
    expect(paid(server)).toBe(2);
  });

  it('counts at once where it is the very same', async () => {
    const { ann } = await house();
    await payPinOf(ann).set(pin, quiet);
    expect(payPinOf(ann).status.state).toBe('ready');
  });

  it('tells no more by being set again and again than by being tried', async () => {
    const { ann, clock } = await house();
    const others = ['771144', '662933', '558821', '449217', '338162', '997215', '226419', '884017', '115238', '703946'];
    for (const other of others.slice(0, 3)) {
      await payPinOf(ann).set(other, quiet);
    }
    expect(payPinOf(ann).status.triesLeft).toBe(7);
    // While it waits, not even the right one is looked at.
    await payPinOf(ann).set(pin, quiet);
    expect(payPinOf(ann).status).toMatchObject({ state: 'earlier', triesLeft: 7 });
    for (const other of others.slice(3)) {
      clock.nowMs += 15 * minuteMs + 1;
      await payPinOf(ann).set(other, quiet);
    }
    expect(payPinOf(ann).status.state).toBe('resting');
    clock.nowMs += 15 * minuteMs + 1;
    await payPinOf(ann).set(pin, quiet);
    expect(payPinOf(ann).status.state).toBe('resting');
  });

  it('is of no use on a device that never saw the one before, for a day', async () => {
    const { server, id, ann, bob } = await house();
    const second = keep(await TestDevice.signIn('ann', server.client(), ann));
    await until(() => second.screen.list.some((known) => known.id === id), 'it has the conversation');
    const clock = clockOf(second);
    await payPinOf(second).set(nextPin, quiet);
    expect(payPinOf(second).status.state).toBe('resting');
    await refused(second.engine.postCard(transfer(id, bob), typed(nextPin)), 'pay_pin_rests');
    clock.nowMs += dayMs + 1;
    await second.engine.postCard(transfer(id, bob), typed(nextPin));
    expect(paid(server)).toBe(1);
  });

  it('and one that was removed: the limit holds for a day more', async () => {
    const { server, id, ann, bob, clock } = await house();
    await payPinOf(ann).remove();
    await refused(ann.engine.postCard(transfer(id, bob)), 'pay_pin_needed');
    await ann.engine.postCard(transfer(id, bob), typed(pin));
    await ann.reload();
    await ann.online();
    payPinOf(ann).now = () => clock.nowMs;
    expect(payPinOf(ann).status.state).toBe('earlier');
    clock.nowMs += dayMs + 1;
    await ann.engine.postCard(transfer(id, bob));
    expect(paid(server)).toBe(2);
  });
});

/** What changes the PIN is cut off once it is done, before anything that follows it. */
function cutOff(device: TestDevice, name: 'set' | 'remove'): Promise<void> {
  const { pins } = device.engine.services.keys;
  const change = pins[name].bind(pins) as (...all: unknown[]) => Promise<void>;
  return new Promise((resolve) => {
    pins[name] = async (...all: unknown[]) => {
      await change(...all);
      resolve();
      await new Promise(() => undefined);
    };
  });
}

describe('a device that dies while the PIN is changed', () => {
  it('rests all the same where the PIN was set without the one before', async () => {
    const { server, id, ann, bob, clock } = await house();
    const changed = cutOff(ann, 'set');
    void payPinOf(ann).set(nextPin, quiet);
    await changed;
    await ann.reload();
    await ann.online();
    payPinOf(ann).now = () => clock.nowMs;
    await payPinOf(ann).recover(nextPin, quiet);
    expect(payPinOf(ann).status.state).toBe('earlier');
    await refused(ann.engine.postCard(transfer(id, bob), typed(nextPin)), 'pay_pin_wrong');
    await ann.engine.postCard(transfer(id, bob), typed(pin));
    expect(paid(server)).toBe(1);
  });

  it('pays nothing above the limit where the PIN was removed', async () => {
    const { server, id, ann, bob, clock } = await house();
    const changed = cutOff(ann, 'remove');
    void payPinOf(ann).remove();
    await changed;
    await ann.reload();
    await ann.online();
    payPinOf(ann).now = () => clock.nowMs;
    await refused(ann.engine.postCard(transfer(id, bob)), 'pay_pin_needed');
    expect(paid(server)).toBe(0);
  });

  it('does not rest where nothing was changed', async () => {
    const { server, id, ann, bob } = await house();
    for (const realm of server.keys.realmIds) {
      server.keys.realmsDown.add(realm);
    }
    await refused(payPinOf(ann).set(nextPin, quiet), 'vault_too_few');
    expect(payPinOf(ann).status.state).toBe('ready');
    await refused(payPinOf(ann).remove(), 'vault_too_few');
    expect(payPinOf(ann).status.state).toBe('ready');
    await ann.engine.postCard(transfer(id, bob), typed(pin));
    expect(paid(server)).toBe(1);
  });
});

describe('the limit', () => {
  it('is raised with the PIN only, lowered without, and never beyond its bound', async () => {
    const { id, ann, bob } = await house();
    const limits = payPinOf(ann);
    await refused(limits.changeLimit('EUR', 20_000n, null), 'pay_pin_needed');
    await refused(limits.changeLimit('EUR', 20_000n, typed(nextPin)), 'pay_pin_wrong');
    expect(limits.status.limits).toEqual({});
    await refused(limits.changeLimit('EUR', 1_000_001n, typed(pin)), 'invalid_argument');
    await refused(limits.changeLimit('EUR', -1n, typed(pin)), 'invalid_argument');
    await limits.changeLimit('EUR', 20_000n, typed(pin));
    await ann.engine.postCard(transfer(id, bob, 20_000n));
    await limits.changeLimit('EUR', 0n, null);
    await refused(ann.engine.postCard(transfer(id, bob, 1n)), 'pay_pin_needed');
    await ann.reload();
    expect(payPinOf(ann).status.limits).toEqual({ EUR: 0n });
    expect(ann.screen.keys?.payPin.limits).toEqual({ EUR: 0n });
  });
});
