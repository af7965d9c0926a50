import { describe, expect, it } from 'vitest';
import { keep, pair, sendStates } from './testing/people';
import { TestDevice, until } from './testing/testDevice';

describe('two devices of one person', () => {
  async function three() {
    const { id, server, ann, bob } = await pair();
    const client = server.client();
    const phone = keep(await TestDevice.signIn('ann', client, ann));
    await until(() => phone.screen.list.length === 1, 'the phone is in');
    await phone.settled();
    return { id, server, ann, bob, phone, client };
  }

  it('are read together: what is read on one is unread on none', async () => {
    const { id, ann, bob, phone } = await three();
    await bob.send(id, 'hello, both of you');
    await Promise.all([ann.sees(id, 'hello, both of you'), phone.sees(id, 'hello, both of you')]);
    await until(() => ann.conversation(id).unread === 1 && phone.conversation(id).unread === 1, 'it is unread on both');
    await ann.engine.services.receipts.markRead(id);
    await until(() => phone.conversation(id).unread === 0, 'the phone follows at once');
  });

  it('learn at Hello what the other has read meanwhile, although no log has moved', async () => {
    const { id, server, ann, bob, phone, client } = await three();
    await bob.send(id, 'read me at home');
    await phone.sees(id, 'read me at home');
    await until(() => phone.conversation(id).unread === 1, 'it is unread on the phone');
    await phone.settled();
    client.up = false;
    client.drop();
    await ann.sees(id, 'read me at home');
    await ann.engine.services.receipts.markRead(id);
    const { device } = ann.engine.services.core.device;
    await until(
      () => (server.conversations.get(id)?.receipts.get(device)?.read ?? 0) > 0,
      'the server knows that ann has read it',
    );
    expect(phone.conversation(id).unread).toBe(1);

    const syncs = client.calls.filter((call) => call === 'sync').length;
    client.up = true;
    phone.engine.reconnectNow();
    await until(() => phone.conversation(id).unread === 0, 'the phone has followed');
    expect(client.calls.filter((call) => call === 'sync')).toHaveLength(syncs);
    const own = phone.engine.services.core.device.device;
    await until(
      () => (server.conversations.get(id)?.receipts.get(own)?.read ?? 0) > 0,
      'the phone has marked it as its own',
    );
  });

  it('follow a mark that came before the message it is about', async () => {
    const { id, server, ann, bob, phone, client } = await three();
    client.pushes = () => false;
    await bob.send(id, 'late on the phone');
    await ann.sees(id, 'late on the phone');
    await ann.engine.services.receipts.markRead(id);
    const seq = server.conversations.get(id)?.events.length ?? 0;
    await until(
      () => Object.values(phone.engine.services.core.conversation(id).marks).some((mark) => mark.read >= seq),
      'the phone knows the mark',
    );
    client.pushes = () => true;
    phone.engine.services.sync.want([id]);
    await phone.sees(id, 'late on the phone');
    await until(() => phone.conversation(id).unread === 0, 'it is read');
  });
});

describe('what others have read while this device was away', () => {
  it('is seen once the conversation is looked at, although its log has not moved', async () => {
    const { id, ann, bob, annClient } = await pair();
    await until(async () => (await sendStates(ann, id)).at(-1) === 'delivered', 'bob has it');
    annClient.up = false;
    annClient.drop();
    await bob.engine.services.receipts.markRead(id);
    await bob.settled();
    annClient.up = true;
    ann.engine.reconnectNow();
    await ann.online();
    ann.engine.openThread(id);
    await until(async () => (await sendStates(ann, id)).at(-1) === 'read', 'ann sees that bob has read it');
  });
});
