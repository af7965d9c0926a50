import { describe, expect, it } from 'vitest';
import { FakeServer } from './testing/fakeServer';
import { person } from './testing/people';
import { until } from './testing/testDevice';

describe('a device that is told to resync', () => {
  it('learns of a conversation, its key and its messages although all news of them were dropped', async () => {
    const server = new FakeServer();
    const [ann, bob] = await Promise.all([person(server, 'ann'), person(server, 'bob')]);
    const deliver = bob.client.deliver.bind(bob.client);
    bob.client.deliver = () => undefined;
    const id = await ann.device.startDirect(bob.device);
    await ann.device.send(id, 'first');
    await ann.device.settled();
    await bob.device.settled();
    expect(bob.device.screen.list).toHaveLength(0);

    bob.client.deliver = deliver;
    const connects = bob.client.calls.filter((call) => call === 'connect').length;
    deliver((listener) => listener.control({ kind: 'resync', conversation: null, reconnectAfterMs: null }));
    await bob.device.sees(id, 'first');
    expect(bob.client.calls.filter((call) => call === 'connect')).toHaveLength(connects);
  });

  it('comes back on a new connection where the server will not greet it again', async () => {
    const server = new FakeServer();
    const { client, device } = await person(server, 'ann');
    const connects = client.calls.filter((call) => call === 'connect').length;
    client.loseReplies = 1;
    client.loseOnly = 'hello';
    client.deliver((listener) => listener.control({ kind: 'resync', conversation: null, reconnectAfterMs: null }));
    await until(
      () => client.calls.filter((call) => call === 'connect').length > connects && device.screen.state === 'online',
      'it is back',
    );
  });
});
