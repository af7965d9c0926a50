import { describe, expect, it } from 'vitest';
import { keep, pair } from './testing/people';
import { TestDevice, until } from './testing/testDevice';

describe('cards', () => {
  const transfer = (id: string, other: TestDevice, memo = 'Pizza') => ({
    conversation: id,
    kind: 'transfer' as const,
    other: other.account,
    amountMinor: 1234n,
    asset: 'EUR',
    memo,
  });

  it('appear with their memo on both sides and change in place', async () => {
    const { id, ann, bob } = await pair();
    await ann.engine.postCard(transfer(id, bob));
    const cardOf = async (device: TestDevice) => (await device.items(id)).find((item) => item.type === 'card');
    await until(async () => (await cardOf(bob)) !== undefined, 'bob has the card');
    const seen = await cardOf(bob);
    expect(seen?.card).toMatchObject({
      memo: 'Pizza',
      amountMinor: 1234n,
      actions: ['accept', 'decline'],
      mismatch: false,
    });
    expect((await cardOf(ann))?.card).toMatchObject({ memo: 'Pizza', actions: ['cancel'], state: 'held' });
    await bob.engine.actOnCard(seen?.card.id ?? '', 'accept');
    expect((await cardOf(bob))?.card.state).toBe('accepted');
    await until(async () => (await cardOf(ann))?.card.state === 'accepted', 'ann knows');
    expect((await cardOf(ann))?.card.timeline.map((step) => step.state)).toEqual(['held', 'accepted']);
    expect((await cardOf(ann))?.key).toBe(seen?.key);
  });

  it('whose terms the server changed are not to be acted on', async () => {
    const { server, id, ann, bob } = await pair();
    server.tamper = (event, device) =>
      event.card && device === bob.engine.services.core.device.device
        ? { ...event, card: { ...event.card, amountMinor: '999999' } }
        : event;
    await ann.engine.postCard(transfer(id, bob));
    await until(async () => (await bob.unreadable(id)).length === 1, 'bob is warned');
    const [item] = await bob.unreadable(id);
    expect(item).toMatchObject({ type: 'card', card: { mismatch: true, actions: [] } });
    const card = item?.type === 'card' ? item.card.id : '';
    await expect(bob.engine.actOnCard(card, 'accept')).rejects.toThrow('card_mismatch');
  });

  const onlyCard = async (device: TestDevice, id: string) => {
    const item = (await device.items(id)).find((other) => other.type === 'card');
    return item?.card ?? null;
  };

  it.each([
    ['another amount', { amountMinor: '1' }],
    ['another payee', { payee: '0190a000-0000-7000-8000-000000000009' }],
    ['a state of another kind of card', { state: 'paid' as const }],
  ])('keep what was checked when a change speaks of %s', async (_, lie) => {
    const { server, id, ann, bob } = await pair();
    await ann.engine.postCard(transfer(id, bob));
    await until(async () => (await onlyCard(bob, id)) !== null, 'bob has the card');
    const liedTo = ann.engine.services.core.device.device;
    server.tamper = (event, device) =>
      event.kind === 'cardChanged' && event.card && device === liedTo
        ? { ...event, card: { ...event.card, ...lie } }
        : event;
    await bob.engine.actOnCard((await onlyCard(bob, id))?.id ?? '', 'accept');
    await until(async () => (await onlyCard(ann, id))?.mismatch === true, 'ann is warned');
    expect(await onlyCard(ann, id)).toMatchObject({ amountMinor: 1234n, payee: { id: bob.account }, state: 'held' });
    expect((await onlyCard(ann, id))?.actions).toEqual([]);
  });

  it('that the server recorded with other terms than were posted are not to be trusted', async () => {
    const { server, id, ann, bob } = await pair();
    const liedTo = ann.engine.services.core.device.device;
    server.tamper = (event, device) =>
      event.card && device === liedTo ? { ...event, card: { ...event.card, amountMinor: '999999' } } : event;
    server.tamperReply = (card) => ({ ...card, amountMinor: '999999' });
    await ann.engine.postCard(transfer(id, bob));
    await until(async () => (await onlyCard(ann, id))?.mismatch === true, 'ann is warned');
  });

  it('that nobody sent are not to be trusted', async () => {
    const { server, id, ann, bob } = await pair();
    const liedTo = bob.engine.services.core.device.device;
    server.tamper = (event, device) => (event.card && device === liedTo ? { ...event, body: null } : event);
    await ann.engine.postCard({ ...transfer(id, bob), kind: 'request' });
    await until(async () => (await onlyCard(bob, id)) !== null, 'bob is shown something');
    expect(await onlyCard(bob, id)).toMatchObject({ mismatch: true, actions: [] });
  });

  it('from before a device joined can be refused on it, but not paid', async () => {
    const { server, id, ann, bob } = await pair();
    await ann.engine.postCard({ ...transfer(id, bob), kind: 'request' });
    await until(async () => (await onlyCard(bob, id)) !== null, 'bob has the card');
    expect((await onlyCard(bob, id))?.actions).toEqual(['pay', 'decline']);
    const second = keep(await TestDevice.signIn('bob', server.client(), bob));
    await until(async () => (await onlyCard(second, id)) !== null, 'the second device has the card');
    expect(await onlyCard(second, id)).toMatchObject({ memo: null, mismatch: false, actions: ['decline'] });
  });

  it('are posted once when the answer is lost, and say that the outcome is not known', async () => {
    const { id, ann, bob, annClient } = await pair();
    annClient.onCall = (name) => {
      if (name === 'cardAct') {
        annClient.loseReplies = 1;
        annClient.onCall = () => undefined;
      }
    };
    await expect(ann.engine.postCard(transfer(id, bob))).rejects.toThrow('outcome_unknown');
    const cards = async (device: TestDevice) => (await device.items(id)).filter((item) => item.type === 'card');
    await until(async () => (await cards(bob)).length > 0 && (await cards(ann)).length > 0, 'both have it');
    await ann.send(id, 'there it is');
    await bob.sees(id, 'there it is');
    expect(await cards(bob)).toHaveLength(1);
    expect((await cards(ann))[0]?.card.memo).toBe('Pizza');
    expect(ann.engine.services.core.outbox.size).toBe(0);
  });

  it('are not posted some time later when there was no connection', async () => {
    const { id, ann, bob, annClient } = await pair();
    annClient.up = false;
    annClient.drop();
    await expect(ann.engine.postCard(transfer(id, bob))).rejects.toThrow('offline');
    expect(ann.engine.services.core.outbox.size).toBe(0);
  });
});
