import { describe, expect, it } from 'vitest';
import { uuidv7 } from '../protocol/ids';
import { pair } from './testing/people';
import { until } from './testing/testDevice';

describe('a restored server', () => {
  it('is read again without doubling what is known', async () => {
    const { server, id, ann, bob } = await pair();
    for (let i = 0; i < 5; i++) {
      await ann.send(id, `n${i}`);
    }
    await bob.sees(id, 'n4');
    await bob.send(id, 'mine');
    await ann.sees(id, 'mine');
    server.lineage = uuidv7();
    for (const connection of [...server.connections]) {
      connection.drop();
    }
    await until(() => ann.engine.services.core.device.lineage === server.lineage, 'ann knows');
    await until(() => bob.engine.services.core.device.lineage === server.lineage, 'bob knows');
    await ann.send(id, 'anew');
    await bob.sees(id, 'anew');
    const expected = ['first', 'n0', 'n1', 'n2', 'n3', 'n4', 'mine', 'anew'];
    expect(await bob.texts(id)).toEqual(expected);
    expect(await ann.texts(id)).toEqual(expected);
    expect(await bob.unreadable(id)).toEqual([]);
  });

  it('that lost the end of its log gets everybody together again', async () => {
    const { server, id, ann, bob, annClient, bobClient } = await pair();
    const conversation = server.conversations.get(id);
    const backup = structuredClone({ ...conversation });
    await ann.engine.services.groups.commit(id, () => ({ adds: [], removeLeaves: [] }));
    await ann.send(id, 'lost with the server');
    await bob.sees(id, 'lost with the server');
    annClient.up = false;
    bobClient.up = false;
    annClient.drop();
    bobClient.drop();
    server.conversations.set(id, backup as NonNullable<typeof conversation>);
    server.lineage = uuidv7();
    annClient.up = true;
    bobClient.up = true;
    await until(() => ann.screen.state === 'online' && bob.screen.state === 'online', 'both are back');
    await bob.settled();
    await ann.settled();
    await ann.send(id, 'still here');
    await bob.sees(id, 'still here', 'first', 'lost with the server');
    await bob.send(id, 'me too');
    await ann.sees(id, 'me too');
  });
});
