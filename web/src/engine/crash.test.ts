import 'fake-indexeddb/auto';
import { afterEach, describe, expect, it } from 'vitest';
import { crashing, crashPoints } from './testing/crash';
import { FakeServer } from './testing/fakeServer';
import { TestDevice, until } from './testing/testDevice';

const devices: TestDevice[] = [];

afterEach(() => {
  for (const made of devices.splice(0)) {
    made.stop();
  }
});

async function setting() {
  const server = new FakeServer();
  const annClient = server.client();
  const ann = await TestDevice.signUp('ann', annClient);
  const bob = await TestDevice.signUp('bob', server.client());
  devices.push(ann, bob);
  const id = await ann.createGroup('Crash', bob);
  await until(() => bob.screen.list[0]?.title === 'Crash', 'bob is in');
  return { server, ann, annClient, bob, id };
}

/** Own and others' messages are the same on both sides, in the same order, and all readable. */
async function agree(id: string, ...all: TestDevice[]): Promise<void> {
  for (const device of all) {
    await device.settled();
  }
  const [first, ...others] = await Promise.all(all.map((device) => device.texts(id)));
  expect(new Set(first).size).toBe(first?.length);
  for (const texts of others) {
    expect(texts).toEqual(first);
  }
  for (const device of all) {
    expect(await device.unreadable(id)).toEqual([]);
  }
}

for (const point of crashPoints) {
  describe(`a crash after any ${point}`, () => {
    it('while sending loses and doubles nothing', async () => {
      const { ann, annClient, bob, id } = await setting();
      for (let n = 1; ; n++) {
        const text = `message ${n}`;
        const crashed = await crashing(ann, annClient, point, n, async () => {
          await ann.send(id, text);
          await until(async () => ann.engine.services.core.waiting(id).length === 0, 'sent');
          await bob.sees(id, text);
        });
        // The item and its outbox entry are one transaction: once that is written the text is on its way.
        await bob.sees(id, text);
        await until(async () => ann.engine.services.core.waiting(id).length === 0, 'the outbox is empty');
        await agree(id, ann, bob);
        if (!crashed) {
          break;
        }
      }
    });

    it('while a commit of mine is under way keeps everybody together', async () => {
      const { ann, annClient, bob, id } = await setting();
      for (let n = 1; ; n++) {
        const crashed = await crashing(ann, annClient, point, n, () =>
          ann.engine.services.core.lane.run(id, () =>
            ann.engine.services.groups.commit(id, () => ({ adds: [], removeLeaves: [] })),
          ),
        );
        await ann.send(id, `ann ${n}`);
        await bob.sees(id, `ann ${n}`);
        await bob.send(id, `bob ${n}`);
        await ann.sees(id, `bob ${n}`);
        await agree(id, ann, bob);
        if (!crashed) {
          break;
        }
      }
    });

    it('while receiving loses nothing', async () => {
      const { ann, annClient, bob, id } = await setting();
      for (let n = 1; ; n++) {
        const text = `to ann ${n}`;
        const crashed = await crashing(ann, annClient, point, n, async () => {
          await bob.engine.services.groups.commit(id, () => ({ adds: [], removeLeaves: [] }));
          await bob.send(id, text);
          await ann.sees(id, text);
        });
        await ann.sees(id, text);
        await agree(id, ann, bob);
        if (!crashed) {
          break;
        }
      }
    });

    it('while joining by a Welcome gets in all the same', async () => {
      const { server, ann, id } = await setting();
      for (let n = 1; n < 12; n++) {
        const client = server.client();
        const carol = await TestDevice.signUp(`carol${n}`, client);
        devices.push(carol);
        const person = await ann.engine.findPerson(`carol${n}`);
        const crashed = await crashing(carol, client, point, n, async () => {
          await ann.engine.services.chats.addMembers(id, [person]);
          await until(() => carol.screen.list[0]?.title === 'Crash', 'carol is in');
        });
        await until(() => carol.screen.list.length === 1, 'carol knows the group');
        await ann.send(id, `welcome ${n}`);
        await carol.sees(id, `welcome ${n}`);
        await carol.send(id, `thanks ${n}`);
        await ann.sees(id, `thanks ${n}`);
        expect(await ann.unreadable(id)).toEqual([]);
        carol.stop();
        if (!crashed) {
          break;
        }
      }
    });

    it('while posting a card posts it once', async () => {
      const { ann, annClient, bob, id } = await setting();
      for (let n = 1; ; n++) {
        const memo = `card ${n}`;
        const card = {
          conversation: id,
          kind: 'transfer' as const,
          other: bob.account,
          amountMinor: 5n,
          asset: 'EUR',
          memo,
        };
        const crashed = await crashing(ann, annClient, point, n, () => ann.engine.postCard(card));
        const memos = async (device: TestDevice) =>
          (await device.items(id))
            .map((item) => item.type === 'card' && item.card.memo)
            .filter((text) => text === memo);
        await until(async () => ann.engine.services.core.outbox.size === 0, 'nothing waits');
        await until(
          async () => (await memos(bob)).length === 1 && (await memos(ann)).length === 1,
          `both have ${memo}`,
        );
        await agree(id, ann, bob);
        if (!crashed) {
          break;
        }
      }
    });
  });
}
