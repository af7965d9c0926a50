import { describe, expect, it } from 'vitest';
import { pair, person } from './testing/people';
import { until } from './testing/testDevice';

describe('presence', () => {
  const online = { online: true, lastSeen: null };

  it('is asked for the people of all conversations, and follows what the server tells', async () => {
    const { server, ann, bob, annClient } = await pair();
    await until(() => ann.screen.people.get(bob.account)?.online === true, 'ann sees bob');
    const at = '2026-11-20T18:00:00Z';
    annClient.deliver((listener) => listener.presence([{ account: bob.account, online: false, lastSeen: at }]));
    await until(() => ann.screen.people.get(bob.account)?.lastSeen === Date.parse(at), 'bob has gone');

    const cleo = await person(server, 'cleo');
    await cleo.device.startDirect(ann);
    await until(() => ann.screen.people.get(cleo.device.account)?.online === true, 'a new contact is watched too');
  });

  it('is unknown without a connection, and asked for again with the next one', async () => {
    const { ann, bob, annClient } = await pair();
    await until(() => ann.screen.people.get(bob.account)?.online === true, 'ann sees bob');
    annClient.up = false;
    annClient.drop();
    await until(() => ann.screen.people.get(bob.account) === null, 'nobody can say');
    annClient.up = true;
    ann.engine.reconnectNow();
    await until(() => ann.screen.people.get(bob.account)?.online === true, 'ann sees bob again');
  });

  it('believes a push rather than an answer that was on its way', async () => {
    const { ann, bob, annClient } = await pair();
    await until(() => ann.screen.people.get(bob.account)?.online === true, 'ann sees bob');
    annClient.onCall = (name) => {
      if (name === 'watchPresence') {
        annClient.onCall = () => undefined;
        ann.engine.services.presence.heard([{ account: bob.account, online: false, lastSeen: '2026-11-20T18:00:00Z' }]);
      }
    };
    ann.engine.services.presence.refresh();
    await until(() => ann.screen.people.get(bob.account)?.online === false, 'the push is there');
    await ann.settled();
    expect(ann.screen.people.get(bob.account)).toMatchObject({ online: false });
  });

  it('is mutual: who hides is not seen and sees nobody', async () => {
    const { ann, bob } = await pair();
    await until(() => ann.screen.people.get(bob.account)?.online === true, 'ann sees bob');
    await ann.engine.changePresence('nobody');
    await until(() => ann.screen.people.get(bob.account) === null, 'ann sees nobody');
    expect(ann.engine.services.core.device.presence).toBe('nobody');
    await ann.engine.changePresence('contacts');
    await until(() => ann.screen.people.get(bob.account)?.online === true, 'ann sees bob again');
    expect(ann.screen.people.get(bob.account)).toEqual(online);
  });
});
