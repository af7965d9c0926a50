import { describe, expect, it } from 'vitest';
import { uuidv7 } from '../protocol/ids';
import { flipped } from './testing/fakeServer';
import { pair, person, sendStates } from './testing/people';
import { until } from './testing/testDevice';

describe('two people', () => {
  it('talk both ways, with receipts, unread counts and previews', async () => {
    const { id, ann, bob } = await pair();
    await bob.send(id, 'second');
    await ann.sees(id, 'first', 'second');
    expect(await ann.texts(id)).toEqual(['first', 'second']);
    expect(bob.conversation(id)).toMatchObject({ title: 'ANN', kind: 'direct', unread: 1 });
    await until(async () => (await sendStates(ann, id))[0] === 'delivered', 'it is delivered');
    await bob.engine.services.receipts.markRead(id);
    expect(bob.conversation(id).unread).toBe(0);
    await until(async () => (await sendStates(ann, id))[0] === 'read', 'it is read');
    expect(ann.conversation(id).preview).toMatchObject({ kind: 'text', text: 'second', mine: false });
  });

  it('open the same conversation when both start it', async () => {
    const { id, ann, bob } = await pair();
    expect(await bob.startDirect(ann)).toBe(id);
  });

  it('keep their history and their keys across reloads', async () => {
    const { id, ann, bob } = await pair();
    await ann.reload();
    expect(ann.conversation(id).preview?.text).toBe('first');
    expect(await ann.texts(id)).toEqual(['first']);
    await until(() => ann.screen.state === 'online', 'online again');
    await bob.reload();
    await ann.send(id, 'after');
    await bob.sees(id, 'after');
    await bob.send(id, 'indeed');
    await ann.sees(id, 'indeed');
  });

  it('find what was sent while they were away, in order and once', async () => {
    const { id, ann, bob, bobClient } = await pair();
    bobClient.up = false;
    bobClient.drop();
    const texts = Array.from({ length: 90 }, (_, i) => `away ${i}`);
    for (const text of texts) {
      await ann.send(id, text);
    }
    await until(
      async () => (await ann.texts(id)).length === 91 && (await sendStates(ann, id)).every((s) => s !== 'sending'),
      'all are sent',
      30_000,
    );
    bobClient.up = true;
    await bob.sees(id, 'away 89');
    expect(await bob.texts(id)).toEqual(['first', ...texts]);
    expect(bob.conversation(id).unread).toBe(91);
  });

  it('send what they wrote offline once they are back', async () => {
    const { id, ann, bob, annClient } = await pair();
    annClient.up = false;
    annClient.drop();
    await ann.send(id, 'one');
    await ann.send(id, 'two');
    expect((await sendStates(ann, id)).slice(1)).toEqual(['sending', 'sending']);
    await ann.reload();
    expect((await sendStates(ann, id)).slice(1)).toEqual(['sending', 'sending']);
    annClient.up = true;
    ann.engine.reconnectNow();
    await bob.sees(id, 'one', 'two');
    expect(await bob.texts(id)).toEqual(['first', 'one', 'two']);
  });
});

describe('a bad network', () => {
  it('loses answers, and nothing is doubled', async () => {
    const { id, ann, bob, annClient } = await pair();
    annClient.loseOnly = 'send';
    for (let i = 0; i < 4; i++) {
      annClient.loseReplies = 1;
      await ann.send(id, `lost ${i}`);
      await until(async () => (await ann.texts(id)).includes(`lost ${i}`), 'stored');
    }
    await bob.sees(id, 'lost 3');
    await until(async () => (await sendStates(ann, id)).every((state) => state === 'delivered'), 'all are delivered');
    expect(await bob.texts(id)).toEqual(['first', 'lost 0', 'lost 1', 'lost 2', 'lost 3']);
  });

  it('asks for the same answer with the same bytes', async () => {
    const { server, id, ann, annClient, bob } = await pair();
    // Without the log, which would tell first, only the repeated send can find out.
    annClient.busy.add('sync');
    annClient.pushes = () => false;
    annClient.loseOnly = 'send';
    annClient.loseReplies = 1;
    await ann.send(id, 'once');
    await until(
      async () => ['sent', 'delivered'].includes((await sendStates(ann, id)).at(-1) ?? ''),
      'the answer is there',
    );
    expect(annClient.calls.filter((call) => call === 'send')).toHaveLength(3);
    annClient.busy.clear();
    await bob.sees(id, 'once');
    expect(server.conversations.get(id)?.events).toHaveLength(3);
    await until(() => ann.engine.services.core.conversation(id).cursor === 3, 'ann has read the log at last');
  });

  it('drops and reorders pushes', async () => {
    const { id, ann, bob, bobClient } = await pair();
    let count = 0;
    bobClient.pushes = () => ++count % 3 === 0;
    for (let i = 0; i < 12; i++) {
      await ann.send(id, `m${i}`);
    }
    await bob.sees(id, 'm10');
    bobClient.pushes = () => true;
    await ann.send(id, 'last');
    await bob.sees(id, 'last');
    expect(await bob.texts(id)).toEqual(['first', ...Array.from({ length: 12 }, (_, i) => `m${i}`), 'last']);
    expect(await bob.unreadable(id)).toEqual([]);
  });

  it('shows a tampered message as unreadable, and reads on', async () => {
    const { server, id, ann, bob } = await pair();
    server.tamper = (event, device) =>
      event.kind === 'message' && event.body && device === bob.engine.services.core.device.device && event.seq === 3
        ? { ...event, body: flipped(event.body) }
        : event;
    await ann.send(id, 'tampered');
    await ann.send(id, 'intact');
    await bob.sees(id, 'intact');
    expect(await bob.unreadable(id)).toMatchObject([{ type: 'undecryptable', reason: 'failed', seq: 3 }]);
  });

  it('cannot put a message into another event', async () => {
    const { server, id, ann, bob } = await pair();
    // The client id is in the signed authenticated data.
    server.tamper = (event) => (event.kind === 'message' && event.seq === 3 ? { ...event, clientId: uuidv7() } : event);
    await ann.send(id, 'moved');
    await ann.send(id, 'intact');
    await bob.sees(id, 'intact');
    expect(await bob.unreadable(id)).toMatchObject([{ reason: 'failed', seq: 3 }]);
  });

  it('cannot put words into the mouth of somebody else', async () => {
    const { server, id, ann, bob } = await pair();
    const carol = await person(server, 'carol');
    const group = await ann.createGroup('Trio', bob, carol.device);
    await ann.send(group, 'to all');
    await carol.device.sees(group, 'to all');
    const { account, device } = carol.device.engine.services.core.device;
    server.tamper = (event, to) =>
      event.kind === 'message' && event.conversation === group && to === bob.engine.services.core.device.device
        ? { ...event, account, device }
        : event;
    await ann.send(group, 'not from carol');
    await until(async () => (await bob.unreadable(group)).length > 0, 'bob is warned');
    expect(await bob.unreadable(group)).toMatchObject([{ reason: 'senderMismatch' }]);
    expect(id).not.toBe(group);
  });
});
