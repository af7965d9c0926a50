import { describe, expect, it } from 'vitest';
import { toBase64 } from '../protocol/bytes';
import { commitToSeed } from '../protocol/packetShares';
import type * as wire from '../protocol/wire';
import type { Card, CardAction, NewCard } from '../state/contract';
import { FakeServer } from './testing/fakeServer';
import { pair, person } from './testing/people';
import { pin, quiet } from './testing/pins';
import { type TestDevice, until } from './testing/testDevice';

/** Three people in one group, all of whom have read a message. */
async function three() {
  const server = new FakeServer();
  const [ann, bob, cai] = await Promise.all(['ann', 'bob', 'cai'].map((handle) => person(server, handle)));
  const people = [ann, bob, cai].map((one) => one?.device as TestDevice) as [TestDevice, TestDevice, TestDevice];
  const id = await people[0].createGroup('Dinner', people[1], people[2]);
  await people[0].send(id, 'hello');
  await Promise.all([people[1].sees(id, 'hello'), people[2].sees(id, 'hello')]);
  return { server, id, ann: people[0], bob: people[1], cai: people[2] };
}

const base = (id: string) => ({ conversation: id, asset: 'EUR', memo: 'Dinner' });

function split(id: string, bob: TestDevice, cai: TestDevice): NewCard {
  const shares = [
    { account: bob.account, amountMinor: 1667n },
    { account: cai.account, amountMinor: 1666n },
  ];
  return { ...base(id), kind: 'split', other: null, amountMinor: 3333n, plan: { shares, ownMinor: 1667n } };
}

function packet(id: string, count: number, mode: 'fixed' | 'random' = 'random'): NewCard {
  return { ...base(id), kind: 'packet', other: null, amountMinor: 1000n, plan: { packet: mode, count } };
}

async function cardOf(device: TestDevice, id: string): Promise<Card | null> {
  const item = (await device.items(id)).find((other) => other.type === 'card');
  return item?.card ?? null;
}

async function when(device: TestDevice, id: string, is: (card: Card) => boolean, what: string): Promise<Card> {
  let seen: Card | null = null;
  await until(
    async () => {
      seen = await cardOf(device, id);
      return seen !== null && is(seen);
    },
    () => `${device.handle}'s card ${what}: ${JSON.stringify(seen, (_, v) => (typeof v === 'bigint' ? `${v}` : v))}`,
  );
  return seen as unknown as Card;
}

const has = (device: TestDevice, id: string) => when(device, id, () => true, 'is there');

async function act(device: TestDevice, id: string, action: CardAction, amount: bigint | null = null): Promise<void> {
  await device.engine.actOnCard((await has(device, id)).id, action, null, amount);
}

describe('a split', () => {
  it('asks each for their share, signed by each for exactly that, and tells all who has paid', async () => {
    const { server, id, ann, bob, cai } = await three();
    await ann.engine.postCard(split(id, bob, cai));
    const asked = await has(bob, id);
    expect(asked).toMatchObject({ kind: 'split', memo: 'Dinner', mismatch: false, actions: ['pay', 'decline'] });
    expect(asked.split?.mine).toMatchObject({ amountMinor: 1667n, state: 'open' });
    expect(asked.split?.ownMinor).toBe(1667n);
    // Whoever asks signs nothing.
    expect(server.debits.shown).toEqual([]);
    await act(bob, id, 'pay');
    expect(server.debits.taken).toMatchObject([{ payer: bob.account, payee: ann.account, amountMinor: '1667' }]);
    expect(await has(bob, id)).toMatchObject({ state: 'open', actions: [] });
    const half = await when(cai, id, (card) => card.split?.answered === 1, 'is half paid');
    expect(half.split?.parts.map(({ state }) => state)).toEqual(['paid', 'open']);
    expect(half.split?.paidMinor).toBe(1667n);
    await act(cai, id, 'decline');
    const done = await when(ann, id, (card) => card.state === 'settled', 'is settled');
    expect(done.split?.parts.map(({ state }) => state)).toEqual(['paid', 'declined']);
    expect(done.timeline.map(({ state }) => state)).toEqual(['open', 'settled']);
  });

  it('is paid when everybody has, though they answer side by side', async () => {
    const { id, ann, bob, cai } = await three();
    await ann.engine.postCard(split(id, bob, cai));
    await Promise.all([has(bob, id), has(cai, id)]);
    await Promise.all([act(bob, id, 'pay'), act(cai, id, 'pay')]);
    for (const device of [ann, bob, cai]) {
      const done = await when(device, id, (card) => card.state === 'paid', 'is paid');
      expect(done.split?.parts.map(({ state }) => state)).toEqual(['paid', 'paid']);
    }
  });

  it('is stopped for those who have not paid, and stays paid for those who have', async () => {
    const { id, ann, bob, cai } = await three();
    await ann.engine.postCard(split(id, bob, cai));
    await has(bob, id);
    await act(bob, id, 'pay');
    await when(ann, id, (card) => card.split?.answered === 1, 'is half paid');
    expect((await has(ann, id)).actions).toEqual(['cancel']);
    await act(ann, id, 'cancel');
    const stopped = await when(cai, id, (card) => card.state === 'cancelled', 'is stopped');
    expect(stopped.split?.parts.map(({ state }) => state)).toEqual(['paid', 'cancelled']);
    expect(stopped.actions).toEqual([]);
  });

  it.each([
    [
      'another share',
      (plan: wire.CardPlan) => ({ ...plan, shares: plan.shares?.map((s) => ({ ...s, amountMinor: '1' })) }),
    ],
    ['another person asked', (plan: wire.CardPlan) => ({ ...plan, shares: plan.shares?.slice().reverse() })],
    ['another own part', (plan: wire.CardPlan) => ({ ...plan, ownMinor: '0' })],
    ['a plan that its kind cannot have', (plan: wire.CardPlan) => ({ ...plan, packet: 'fixed' as const })],
  ])('that the server shows with %s is not to be acted on', async (_, lie) => {
    const { server, id, ann, bob, cai } = await three();
    const liedTo = bob.engine.services.core.device.device;
    server.tamper = (event, to) =>
      event.card?.plan && to === liedTo
        ? { ...event, card: { ...event.card, plan: lie(event.card.plan) as wire.CardPlan } }
        : event;
    await ann.engine.postCard(split(id, bob, cai));
    expect(await has(bob, id)).toMatchObject({ mismatch: true, actions: [] });
    await expect(act(bob, id, 'pay')).rejects.toThrow('card_mismatch');
    expect(server.debits.shown).toEqual([]);
  });

  it('is not paid for a share that a later answer changes', async () => {
    const { server, id, ann, bob, cai } = await three();
    await ann.engine.postCard(split(id, bob, cai));
    const card = await has(bob, id);
    const kept = server.cards.get(card.id) as wire.CardView;
    const shares = kept.plan?.shares?.map((share) => ({ ...share, amountMinor: '999' })) ?? [];
    server.cards.set(card.id, { ...kept, plan: { ...kept.plan, shares } });
    await expect(act(bob, id, 'pay')).rejects.toThrow('authorisation_invalid');
    expect(server.debits.taken).toEqual([]);
  });

  it('is not paid by whom it does not ask', async () => {
    const { server, id, ann, bob, cai } = await three();
    const plan = { shares: [{ account: bob.account, amountMinor: 3333n }], ownMinor: 0n };
    await ann.engine.postCard({ ...split(id, bob, cai), plan });
    expect(await has(cai, id)).toMatchObject({ actions: [], isUnchecked: false, mismatch: false });
    await expect(act(cai, id, 'pay')).rejects.toThrow('card_mismatch');
    await expect(act(ann, id, 'pay')).rejects.toThrow('card_mismatch');
    expect(server.debits.shown).toEqual([]);
  });

  it('of more than the limit asks for the PIN', async () => {
    const { server, id, ann, bob, cai } = await three();
    await bob.engine.services.payPin.set(pin, quiet);
    const shares = [{ account: bob.account, amountMinor: 20_000n }];
    const plan = { shares, ownMinor: 0n };
    await ann.engine.postCard({ ...split(id, bob, cai), amountMinor: 20_000n, plan });
    const { id: card } = await has(bob, id);
    await expect(bob.engine.actOnCard(card, 'pay')).rejects.toThrow('pay_pin_needed');
    expect(server.debits.shown).toEqual([]);
    await bob.engine.actOnCard(card, 'pay', { pin, tell: quiet });
    expect(server.debits.taken).toMatchObject([{ amountMinor: '20000' }]);
  });

  it('that makes no sense is not posted', async () => {
    const { id, ann, bob, cai } = await three();
    const card = split(id, bob, cai);
    await expect(ann.engine.postCard({ ...card, amountMinor: 1n })).rejects.toThrow('card_plan_invalid');
    const shares = [{ account: ann.account, amountMinor: 3333n }];
    await expect(ann.engine.postCard({ ...card, plan: { shares, ownMinor: 0n } })).rejects.toThrow('self_transfer');
  });
});

describe('a packet', () => {
  it('is taken once by each, and shows who got what when it is over', async () => {
    const { server, id, ann, bob, cai } = await three();
    await ann.engine.postCard(packet(id, 2));
    expect(server.debits.taken).toMatchObject([{ payer: ann.account, amountMinor: '1000' }]);
    expect((await has(ann, id)).actions).toEqual([]);
    expect((await has(bob, id)).actions).toEqual(['claim']);
    await act(bob, id, 'claim');
    const taken = await has(bob, id);
    expect(taken).toMatchObject({ state: 'open', actions: [], unfair: false });
    expect(taken.packet?.mine?.person.id).toBe(bob.account);
    expect(taken.packet?.best).toBeNull();
    await expect(act(bob, id, 'claim')).rejects.toThrow('card_already_done');
    await has(cai, id);
    await act(cai, id, 'claim');
    const over = await when(ann, id, (card) => card.state === 'exhausted', 'is exhausted');
    expect(over.packet?.parts.map(({ person: { id: who } }) => who)).toEqual([bob.account, cai.account]);
    const [first = 0n, second = 0n] = over.packet?.parts.map(({ amountMinor }) => amountMinor) ?? [];
    expect(first + second).toBe(1000n);
    expect(over.packet?.best?.amountMinor).toBe([first, second].sort((a, b) => Number(b - a))[0]);
    expect(over.unfair).toBe(false);
  });

  it.each<[string, (server: FakeServer) => (card: wire.CardView) => wire.CardView]>([
    ['shares that its seed does not give', () => (card) => moved(card)],
    [
      'another seed than it was committed to',
      () => (card) => (card.progress?.seed ? { ...card, progress: { ...card.progress, seed: otherSeed } } : card),
    ],
    [
      'another commitment, afterwards',
      () => (card) =>
        card.progress?.seed
          ? {
              ...card,
              progress: { ...card.progress, seed: otherSeed, seedCommit: toBase64(commitToSeed(new Uint8Array(32))) },
            }
          : card,
    ],
  ])('by chance warns of %s', async (_, liar) => {
    const { server, id, ann, bob, cai } = await three();
    const lie = liar(server);
    await ann.engine.postCard(packet(id, 2));
    await Promise.all([has(bob, id), has(cai, id)]);
    const liedTo = ann.engine.services.core.device.device;
    server.tamper = (event, to) => (event.card && to === liedTo ? { ...event, card: lie(event.card) } : event);
    await act(bob, id, 'claim');
    await act(cai, id, 'claim');
    await when(ann, id, (card) => card.state === 'exhausted' && card.unfair, 'is called unfair');
    expect((await has(bob, id)).unfair).toBe(false);
  });

  it('reads the shares that it has not heard of', async () => {
    const { server, id, ann, bob, cai } = await three();
    const posted = ann.engine.postCard(packet(id, 3, 'fixed'));
    await posted;
    const { id: card } = await has(bob, id);
    const stranger = { place: 0, amountMinor: '334', state: 'paid' as const, at: new Date().toISOString() };
    server.cardRules.parts.get(card)?.push({ ...stranger, account: ann.account });
    await has(cai, id);
    await act(cai, id, 'claim');
    await act(bob, id, 'claim');
    const bothHeard = (shown: Card) => shown.state === 'exhausted' && shown.packet?.parts.length === 2;
    await when(bob, id, bothHeard, 'is exhausted, as far as events told');
    await bob.engine.loadCardParts(card);
    const all = await has(bob, id);
    expect(all.packet?.parts.map(({ amountMinor }) => amountMinor)).toEqual([334n, 333n, 333n]);
    expect(all.unfair).toBe(false);
  });

  it('for one person is nobody else’s to take, or to see', async () => {
    const { id, ann, bob, cai } = await three();
    await ann.engine.postCard({ ...packet(id, 1, 'fixed'), other: bob.account });
    expect((await has(bob, id)).actions).toEqual(['claim']);
    expect(await has(cai, id)).toMatchObject({ hidden: true, actions: [], packet: null });
  });
});

const otherSeed = toBase64(new Uint8Array(32));

/** One unit less for whoever took it. */
function moved(card: wire.CardView): wire.CardView {
  const parts = card.progress?.parts?.map((part) => ({ ...part, amountMinor: `${BigInt(part.amountMinor) - 1n}` }));
  return parts ? { ...card, progress: { ...card.progress, parts } } : card;
}

describe('a mandate', () => {
  it('is signed once for its maximum, drawn on within it, and ended by the payer', async () => {
    const { server, id, ann, bob } = await three();
    const mandate: NewCard = {
      ...base(id),
      kind: 'mandate',
      other: bob.account,
      amountMinor: 5000n,
      plan: { period: 'month' },
    };
    await ann.engine.postCard({ ...mandate, lifetimeSeconds: 90 * 24 * 3600 });
    expect(server.debits.taken).toMatchObject([{ payer: ann.account, amountMinor: '5000' }]);
    expect((await has(bob, id)).actions).toEqual(['draw', 'decline']);
    expect((await has(ann, id)).actions).toEqual(['cancel']);
    await act(bob, id, 'draw', 2000n);
    await act(bob, id, 'draw', 1000n);
    await expect(act(bob, id, 'draw', 2001n)).rejects.toThrow('mandate_exceeded');
    await expect(act(bob, id, 'draw', 0n)).rejects.toThrow('amount_not_positive');
    const seen = await when(ann, id, (card) => card.mandate?.drawnMinor === 3000n, 'shows what was drawn');
    expect(seen.mandate?.periodMinor).toBe(3000n);
    const drawn = seen.timeline.filter(({ what }) => what === 'draw').map(({ amountMinor }) => amountMinor);
    expect(drawn).toEqual([2000n, 1000n]);
    // The payee's device signs nothing: nothing leaves its account.
    expect(server.debits.shown).toHaveLength(1);
    await act(ann, id, 'cancel');
    const ended = await when(bob, id, (card) => card.state === 'cancelled', 'is ended');
    expect(ended.actions).toEqual([]);
  });
});

describe('a transfer', () => {
  /** Two people of whom ann has compared what bob showed. */
  async function acquainted() {
    const made = await pair();
    await made.ann.engine.services.keys.people.accept(made.bob.account, true);
    return made;
  }

  const transfer = (id: string, to: TestDevice, delivery: 'atOnce' | 'delayed'): NewCard => ({
    ...base(id),
    kind: 'transfer',
    other: to.account,
    amountMinor: 1234n,
    plan: { delivery },
    lifetimeSeconds: 7200,
  });

  it('at once goes only to whom one has compared', async () => {
    const { server, id, ann, bob } = await pair();
    await expect(ann.engine.postCard(transfer(id, bob, 'atOnce'))).rejects.toThrow('not_verified');
    expect(server.debits.shown).toEqual([]);
  });

  it('at once is there at once, and given back in part and then whole, signed by whoever gives', async () => {
    const { server, id, ann, bob } = await acquainted();
    await ann.engine.postCard(transfer(id, bob, 'atOnce'));
    expect(await has(bob, id)).toMatchObject({ state: 'accepted', delivery: 'atOnce', actions: ['refund'] });
    expect((await has(ann, id)).actions).toEqual([]);
    await act(bob, id, 'refund', 234n);
    expect(server.debits.taken.at(-1)).toMatchObject({ payer: bob.account, payee: ann.account, amountMinor: '234' });
    const part = await when(ann, id, (card) => card.refundedMinor === 234n, 'shows what came back');
    expect(part.timeline.at(-1)).toMatchObject({ what: 'refund', amountMinor: 234n, by: { id: bob.account } });
    await act(bob, id, 'refund', 1000n);
    expect(await has(bob, id)).toMatchObject({ refundedMinor: 1234n, actions: [], state: 'accepted' });
  });

  it('after a while can be cancelled or declined until then, and not accepted', async () => {
    const { id, ann, bob } = await pair();
    await ann.engine.postCard(transfer(id, bob, 'delayed'));
    expect(await has(bob, id)).toMatchObject({ state: 'held', delivery: 'delayed', actions: ['decline'] });
    expect((await has(ann, id)).actions).toEqual(['cancel']);
    await act(ann, id, 'cancel');
    await when(bob, id, (card) => card.state === 'cancelled', 'is cancelled');
  });

  it('after a while may come back where it cannot arrive', async () => {
    const { server, id, ann, bob } = await pair();
    await ann.engine.postCard(transfer(id, bob, 'delayed'));
    const { id: card } = await has(bob, id);
    server.tamper = (event) =>
      event.kind === 'cardChanged' && event.card ? { ...event, card: { ...event.card, state: 'expired' } } : event;
    await ann.engine.actOnCard(card, 'cancel');
    const shown = await when(bob, id, (seen) => seen.state === 'expired', 'is back');
    expect(shown.mismatch).toBe(false);
  });

  it('that the server shows to arrive otherwise is not to be trusted', async () => {
    const { server, id, ann, bob } = await acquainted();
    const liedTo = bob.engine.services.core.device.device;
    server.tamper = (event, to) =>
      event.card && to === liedTo ? { ...event, card: { ...event.card, plan: null, state: 'held' } } : event;
    await ann.engine.postCard(transfer(id, bob, 'atOnce'));
    expect(await has(bob, id)).toMatchObject({ mismatch: true, actions: [] });
  });

  it('at once cannot be said to have been taken back', async () => {
    const { server, id, ann, bob } = await acquainted();
    await ann.engine.postCard(transfer(id, bob, 'atOnce'));
    const { id: card } = await has(bob, id);
    const liedTo = ann.engine.services.core.device.device;
    server.tamper = (event, to) =>
      event.kind === 'cardChanged' && event.card && to === liedTo
        ? { ...event, card: { ...event.card, state: 'cancelled' } }
        : event;
    await bob.engine.actOnCard(card, 'refund', null, 1n);
    await when(ann, id, (shown) => shown.mismatch && shown.state === 'accepted', 'warns');
  });
});

describe('a request', () => {
  it('is reminded of once', async () => {
    const { id, ann, bob } = await pair();
    await ann.engine.postCard({ ...base(id), kind: 'request', other: bob.account, amountMinor: 500n });
    expect((await has(ann, id)).actions).toEqual(['remind', 'cancel']);
    await act(ann, id, 'remind');
    expect((await has(ann, id)).actions).toEqual(['cancel']);
    const seen = await when(bob, id, (card) => card.remindedAt !== null, 'was reminded of');
    expect(seen.actions).toEqual(['pay', 'decline']);
    expect(seen.timeline.map(({ what }) => what)).toEqual([undefined, 'remind']);
  });

  it('that was paid can be given back by whoever asked', async () => {
    const { server, id, ann, bob } = await pair();
    await ann.engine.postCard({ ...base(id), kind: 'request', other: bob.account, amountMinor: 500n });
    await act(bob, id, 'pay');
    await when(ann, id, (card) => card.actions.includes('refund'), 'can be given back');
    await act(ann, id, 'refund', 500n);
    expect(server.debits.taken.at(-1)).toMatchObject({ payer: ann.account, payee: bob.account, amountMinor: '500' });
  });

  it('between others shows that it exists and how it stands, and no more', async () => {
    const { id, ann, bob, cai } = await three();
    await ann.engine.postCard({ ...base(id), kind: 'request', other: bob.account, amountMinor: 500n });
    const seen = await has(cai, id);
    expect(seen).toMatchObject({
      hidden: true,
      mismatch: false,
      memo: null,
      amountMinor: 0n,
      actions: [],
      state: 'open',
    });
    const stored = await cai.engine.services.core.db.card(seen.id);
    expect(JSON.stringify(stored)).not.toContain('Dinner');
    expect(JSON.stringify(stored)).not.toContain(bob.account);
    await act(bob, id, 'pay');
    const paid = await when(cai, id, (card) => card.state === 'paid', 'is paid');
    expect(paid.timeline.at(-1)?.by).toBeNull();
    // It stays so after a reload.
    await cai.reload();
    expect(await has(cai, id)).toMatchObject({ hidden: true, state: 'paid', memo: null });
  });

  it('between others that begins to name amounts is not believed', async () => {
    const { server, id, ann, bob, cai } = await three();
    await ann.engine.postCard({ ...base(id), kind: 'request', other: bob.account, amountMinor: 500n });
    await has(cai, id);
    const liedTo = cai.engine.services.core.device.device;
    server.tamper = (event, to) =>
      event.kind === 'cardChanged' && event.card && to === liedTo
        ? { ...event, card: { ...event.card, payer: cai.account, payee: ann.account, amountMinor: '9', hidden: null } }
        : event;
    await act(bob, id, 'decline');
    const seen = await when(cai, id, (card) => card.mismatch, 'is warned of');
    expect(seen).toMatchObject({ hidden: true, actions: [] });
  });

  it('that hides from whom it asks cannot be paid', async () => {
    const { server, id, ann, bob } = await pair();
    const liedTo = bob.engine.services.core.device.device;
    server.tamper = (event, to) =>
      event.card && to === liedTo ? { ...event, card: { ...event.card, hidden: true } } : event;
    await ann.engine.postCard({ ...base(id), kind: 'request', other: bob.account, amountMinor: 500n });
    expect(await has(bob, id)).toMatchObject({ mismatch: true, actions: [] });
  });
});
