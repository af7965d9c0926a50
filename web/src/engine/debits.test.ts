import { describe, expect, it } from 'vitest';
import { fromUtf8, utf8 } from '../protocol/bytes';
import { uuidv7 } from '../protocol/ids';
import type * as wire from '../protocol/wire';
import type { Card } from '../state/contract';
import { Debits } from './debits';
import { FakeDebits } from './testing/fakeDebits';
import type { FakeServer } from './testing/fakeServer';
import { keep, pair, person } from './testing/people';
import { byPin, pin, quiet } from './testing/pins';
import { TestDevice, until } from './testing/testDevice';

const stranger = '0190a000-0000-7000-8000-000000000009';

const asked = (id: string, other: TestDevice, kind: 'transfer' | 'request' = 'request') => ({
  conversation: id,
  kind,
  other: other.account,
  amountMinor: 1234n,
  asset: 'EUR',
  memo: 'Pizza',
});

async function cardOf(device: TestDevice, id: string): Promise<Card | null> {
  const item = (await device.items(id)).find((other) => other.type === 'card');
  return item?.card ?? null;
}

async function hasCard(device: TestDevice, id: string): Promise<Card> {
  await until(async () => (await cardOf(device, id)) !== null, `${device.handle} has the card`);
  return (await cardOf(device, id)) as Card;
}

const deviceOf = (device: TestDevice) => device.engine.services.core.device.device;

/** Lies about cards to one device, in every event and answer. */
function lieTo(server: FakeServer, device: TestDevice, lie: Partial<wire.CardView>): void {
  const liedTo = deviceOf(device);
  server.tamper = (event, to) => (event.card && to === liedTo ? { ...event, card: { ...event.card, ...lie } } : event);
}

/** Money for which nothing was signed and nothing taken. */
function nothingPaid(server: FakeServer): void {
  expect(server.debits.shown).toEqual([]);
  expect(server.debits.taken).toEqual([]);
}

describe('money leaves an account', () => {
  it('by a transfer that the device signed as it posted it', async () => {
    const { server, id, ann, bob } = await pair();
    await ann.engine.postCard(asked(id, bob, 'transfer'));
    const card = await hasCard(bob, id);
    expect(server.debits.taken).toMatchObject([
      { payer: ann.account, payee: bob.account, card: card.id, amountMinor: '1234', asset: 'EUR' },
    ]);
    await bob.engine.actOnCard(card.id, 'accept');
    // Whoever takes money signs nothing.
    expect(server.debits.shown.map(({ device }) => device)).toEqual([deviceOf(ann)]);
  });

  it('by a request that the device signed as it decrypted it', async () => {
    const { server, id, ann, bob } = await pair();
    await ann.engine.postCard(asked(id, bob));
    const card = await hasCard(bob, id);
    nothingPaid(server);
    await bob.engine.actOnCard(card.id, 'pay');
    expect(server.debits.taken).toMatchObject([{ payer: bob.account, payee: ann.account, card: card.id }]);
    expect((await cardOf(bob, id))?.state).toBe('paid');
  });

  it('once, however often it is sent: each attempt is signed anew under the same key', async () => {
    const { server, id, ann, bob, bobClient } = await pair();
    await ann.engine.postCard(asked(id, bob));
    const card = await hasCard(bob, id);
    // The clock goes on between the attempts.
    server.debits.aheadMs = 2 * 3_600_000;
    bobClient.loseReplies = 1;
    bobClient.loseOnly = 'cardAct';
    await bob.engine.actOnCard(card.id, 'pay').catch(() => undefined);
    const requests = server.debits.shown.map(({ request }) => request);
    expect(requests.length).toBeGreaterThanOrEqual(2);
    expect(new Set(requests.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    expect(new Set(requests.map(({ authorisation }) => authorisation?.signature)).size).toBeGreaterThan(1);
    expect(server.debits.taken).toHaveLength(1);
  });
});

describe('the clock of a device', () => {
  it('is put right by the greeting', async () => {
    const { server, id, ann, bob, annClient } = await pair();
    server.debits.aheadMs = -3 * 3_600_000;
    annClient.drop();
    await until(() => ann.engine.services.core.online, 'ann is back');
    await ann.engine.postCard(asked(id, bob, 'transfer'));
    expect(server.debits.shown).toHaveLength(1);
    expect(server.debits.taken).toHaveLength(1);
  });

  it('is put right by a refusal, once, under the same key', async () => {
    const { server, id, ann, bob } = await pair();
    server.debits.aheadMs = 2 * 3_600_000;
    await ann.engine.postCard(asked(id, bob, 'transfer'));
    const [first, second, ...more] = server.debits.shown.map(({ request }) => request);
    expect(more).toEqual([]);
    expect(second?.idempotencyKey).toBe(first?.idempotencyKey);
    expect(second?.post?.body).toBe(first?.post?.body);
    expect(server.debits.taken).toHaveLength(1);
  });

  it('is not put right by a day and more: its person is told', async () => {
    const { server, id, ann, bob } = await pair();
    server.debits.aheadMs = 3 * 24 * 3_600_000;
    await expect(ann.engine.postCard(asked(id, bob, 'transfer'))).rejects.toThrow('authorisation_expired');
    expect(server.debits.shown).toHaveLength(1);
    expect(server.debits.taken).toEqual([]);
    expect(ann.engine.services.core.outbox.size).toBe(0);
  });
});

describe('nothing is signed', () => {
  it.each([
    ['another payee', { payee: stranger }],
    ['another payer', { payer: stranger }],
    ['another amount', { amountMinor: '999999' }],
    ['another asset', { asset: 'JPY' }],
    ['another card', { id: uuidv7() }],
    ['another conversation', { conversation: stranger }],
    ['another kind', { kind: 'transfer' as const, state: 'held' as const }],
    ['another author', { author: stranger }],
    ['another time', { lifetimeSeconds: 60 }],
    ['another commitment', { detailCommit: btoa('x'.repeat(32)) }],
  ])('for a request that the server shows with %s', async (_, lie) => {
    const { server, id, ann, bob } = await pair();
    lieTo(server, bob, lie);
    await ann.engine.postCard(asked(id, bob));
    const shown = await hasCard(bob, id);
    expect(shown).toMatchObject({ mismatch: true, actions: [] });
    await expect(bob.engine.actOnCard(shown.id, 'pay')).rejects.toThrow('card_mismatch');
    nothingPaid(server);
  });

  it.each([
    ['payee', { payee: stranger }],
    ['amount', { amountMinor: '1' }],
    ['conversation', { conversation: stranger }],
  ])('for a request whose %s an answer changes afterwards', async (_, lie) => {
    const { server, id, ann, bob } = await pair();
    await ann.engine.postCard(asked(id, bob));
    const { id: card } = await hasCard(bob, id);
    // It has moved on, says the server, and shows how it stands.
    const kept = server.cards.get(card) as wire.CardView;
    server.cards.set(card, { ...kept, version: 2, state: 'open' });
    server.tamperReply = (view) => ({ ...view, ...lie });
    await expect(bob.engine.actOnCard(card, 'pay')).rejects.toThrow('card_terminal');
    await until(async () => (await cardOf(bob, id))?.mismatch === true, 'bob is warned');
    expect(await cardOf(bob, id)).toMatchObject({ actions: [], payee: { id: ann.account }, amountMinor: 1234n });
    await expect(bob.engine.actOnCard(card, 'pay')).rejects.toThrow('card_mismatch');
    nothingPaid(server);
  });

  it('over what the server has made of a card, so that it cannot settle that', async () => {
    const { server, id, ann, bob } = await pair();
    await ann.engine.postCard(asked(id, bob));
    const { id: card } = await hasCard(bob, id);
    const kept = server.cards.get(card) as wire.CardView;
    server.cards.set(card, { ...kept, payee: stranger });
    await expect(bob.engine.actOnCard(card, 'pay')).rejects.toThrow('authorisation_invalid');
    expect(server.debits.taken).toEqual([]);
    server.cards.set(card, kept);
    await bob.engine.actOnCard(card, 'pay');
    expect(server.debits.taken).toMatchObject([{ payee: ann.account }]);
  });

  it('for details that are not those that were committed to', async () => {
    const { server, id, ann, bob } = await pair();
    const { mls } = ann.engine.services.core;
    const encrypt = mls.encrypt.bind(mls);
    mls.encrypt = (state, plaintext, data) => encrypt(state, utf8(fromUtf8(plaintext).replace('Pizza', 'Gift!')), data);
    await ann.engine.postCard(asked(id, bob));
    const shown = await hasCard(bob, id);
    expect(shown).toMatchObject({ mismatch: true, actions: [] });
    await expect(bob.engine.actOnCard(shown.id, 'pay')).rejects.toThrow('card_mismatch');
    nothingPaid(server);
  });

  it('for a memo that was changed on this device afterwards', async () => {
    const { server, id, ann, bob } = await pair();
    await ann.engine.postCard(asked(id, bob));
    const { id: card } = await hasCard(bob, id);
    const { core } = bob.engine.services;
    const record = await core.card(card);
    await core.write([{ put: 'cards', value: { ...record, memo: 'Something else' } as never }]);
    await expect(bob.engine.actOnCard(card, 'pay')).rejects.toThrow('card_mismatch');
    nothingPaid(server);
  });

  it('for a card that was forwarded into another conversation', async () => {
    const { server, id, ann, bob } = await pair();
    const group = await ann.createGroup('Lunch', bob);
    await ann.send(group, 'hi');
    await bob.sees(group, 'hi');
    await ann.engine.postCard(asked(id, bob));
    await hasCard(bob, id);
    const there = server.conversations.get(group);
    const event = server.conversations.get(id)?.events.find(({ kind }) => kind === 'card');
    if (!there || !event?.card) {
      throw new Error('no card to forward');
    }
    // The very bytes, and the card as if it had been made there.
    server.append(there, { ...event, epoch: there.epoch, card: { ...event.card, id: uuidv7(), conversation: group } });
    const shown = await hasCard(bob, group);
    expect(shown).toMatchObject({ mismatch: true, actions: [] });
    await expect(bob.engine.actOnCard(shown.id, 'pay')).rejects.toThrow('card_mismatch');
    nothingPaid(server);
  });

  it('for a request from before the device joined', async () => {
    const { server, id, ann, bob } = await pair();
    await ann.engine.postCard(asked(id, bob));
    await hasCard(bob, id);
    const second = keep(await TestDevice.signIn('bob', server.client(), bob));
    const shown = await hasCard(second, id);
    expect(shown).toMatchObject({ memo: null, actions: ['decline'], isUnchecked: true });
    await expect(second.engine.actOnCard(shown.id, 'pay')).rejects.toThrow('card_unchecked');
    nothingPaid(server);
  });

  it('for a request that an archive has brought back', async () => {
    const { server, id, ann, bob } = await pair();
    const { archive, keys } = bob.engine.services;
    await keys.pins.set(pin, quiet);
    await archive.turnOn();
    await ann.engine.postCard(asked(id, bob));
    expect(await hasCard(bob, id)).toMatchObject({ actions: ['pay', 'decline'], isUnchecked: false });
    await until(() => archive.status.state === 'on' && !archive.status.isFilling, 'the history is queued');
    await bob.settled();
    await archive.flush();
    bob.stop();
    const again = await byPin(server, bob, pin);
    await until(async () => (await cardOf(again, id))?.memo === 'Pizza', 'the memo is back');
    const shown = await hasCard(again, id);
    expect(shown).toMatchObject({ mismatch: false, actions: ['decline'], isUnchecked: true });
    await expect(again.engine.actOnCard(shown.id, 'pay')).rejects.toThrow('card_unchecked');
    nothingPaid(server);
  });

  it('for somebody else’s card, whatever the record says', async () => {
    const { server, id, ann, bob } = await pair();
    const { core } = bob.engine.services;
    const terms = {
      kind: 'request' as const,
      card: uuidv7(),
      conversation: id,
      payer: ann.account,
      payee: bob.account,
    };
    const word = {
      terms: { ...terms, amountMinor: 5n, lifetimeSeconds: 60, asset: 'EUR' },
      detailCommit: new Uint8Array(32),
    };
    const request = { card: terms.card, version: 1, action: 'pay' as const, idempotencyKey: uuidv7(), post: null };
    await expect(new Debits(core).act(request, word)).rejects.toThrow('card_mismatch');
    const mine = { ...word, terms: { ...word.terms, payer: bob.account, payee: ann.account } };
    await expect(new Debits(core).act({ ...request, card: uuidv7() }, mine)).rejects.toThrow('card_mismatch');
    nothingPaid(server);
  });
});

describe('an authorisation', () => {
  it('serves for the debit that it was made for, and for no other', async () => {
    const { server, id, ann, bob } = await pair();
    await ann.engine.postCard(asked(id, bob));
    const { id: card } = await hasCard(bob, id);
    await bob.engine.actOnCard(card, 'pay');
    const [shown] = server.debits.shown;
    const view = { ...(server.cards.get(card) as wire.CardView), state: 'open' as const };
    const device = server.devices.get(deviceOf(bob));
    const other = server.devices.get(deviceOf(ann));
    if (!shown || !device || !other) {
      throw new Error('nothing was shown');
    }
    const debits = new FakeDebits(server);
    const { request } = shown;
    debits.check(device, request, view);
    const { authorisation } = request as { authorisation: wire.CardAuthorisation };
    const later = { ...authorisation, expiresAt: authorisation.expiresAt + 1 };
    const refused = (as: typeof device, asked: wire.CardActRequest, of: wire.CardView) =>
      expect(() => debits.check(as, asked, of)).toThrow('authorisation_invalid');
    refused(device, { ...request, idempotencyKey: uuidv7() }, view);
    refused(device, { ...request, version: 2 }, view);
    refused(device, { ...request, authorisation: later }, view);
    refused(device, request, { ...view, id: uuidv7() });
    refused(device, request, { ...view, payee: stranger });
    refused(device, request, { ...view, amountMinor: '1235' });
    refused(device, request, { ...view, conversation: stranger });
    refused(other, request, view);
    expect(() => debits.check(device, { ...request, authorisation: null }, view)).toThrow('authorisation_missing');
  });

  it('of a device that the account’s keys do not vouch for is refused, and its person told', async () => {
    const { server, id, ann, bob } = await pair();
    const isApproved = server.keys.isApproved.bind(server.keys);
    server.keys.isApproved = (device) => device.account !== ann.account && isApproved(device);
    await expect(ann.engine.postCard(asked(id, bob, 'transfer'))).rejects.toThrow('authorisation_device');
    expect(server.debits.taken).toEqual([]);
    expect(await cardOf(bob, id)).toBeNull();
  });

  it('is not made by somebody who only looks on', async () => {
    const { server, ann, bob } = await pair();
    const { device: carl } = await person(server, 'carl');
    const group = await ann.createGroup('Lunch', bob, carl);
    await ann.engine.postCard(asked(group, bob));
    const shown = await hasCard(carl, group);
    expect(shown).toMatchObject({ actions: [], isUnchecked: false, hidden: true });
    await expect(carl.engine.actOnCard(shown.id, 'pay')).rejects.toThrow('card_unchecked');
    nothingPaid(server);
  });
});
