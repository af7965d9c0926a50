import 'fake-indexeddb/auto';
import { afterEach, describe, expect, it } from 'vitest';
import { FakeServer } from './testing/fakeServer';
import { TestDevice, until } from './testing/testDevice';

const devices: TestDevice[] = [];

async function device(server: FakeServer, handle: string): Promise<TestDevice> {
  const made = await TestDevice.signUp(handle, server.client());
  devices.push(made);
  return made;
}

afterEach(() => {
  for (const made of devices.splice(0)) {
    made.stop();
  }
});

describe('two people', () => {
  it('talk both ways', async () => {
    const server = new FakeServer();
    const [ann, bob] = [await device(server, 'ann'), await device(server, 'bob')];
    const id = await ann.startDirect(bob);
    await ann.send(id, 'hello');
    await bob.sees(id, 'hello');
    await bob.send(id, 'hi');
    await ann.sees(id, 'hello', 'hi');
    expect(bob.conversation(id).title).toBe('ANN');
    await until(
      async () => (await ann.items(id)).some((item) => item.type === 'message' && item.send === 'delivered'),
      'delivered',
    );
    await bob.engine.services.receipts.markRead(id);
    await until(
      async () => (await ann.items(id)).some((item) => item.type === 'message' && item.send === 'read'),
      'read',
    );
    expect(bob.conversation(id).unread).toBe(0);
  });
});
