import { describe, expect, it } from 'vitest';
import type { VaultWait } from '../../protocol/wire';
import type { SeenWait } from '../../storage/records';
import { withEnded, withWait } from './vaultWaits';

const until = '2026-12-03T12:00:00Z';
const begun = (realm: string, id: string): VaultWait => ({ realm, id, device: 'phone', state: 'begun', until });

/** A wait at each of these realms. */
const at = (...realms: string[]) =>
  realms.reduce<SeenWait[]>((known, realm) => withWait(known, begun(realm, `${realm}1`))?.waits ?? known, []);

/** Realms answer, and these tell of nothing. */
const silentOf = (known: SeenWait[], ...realms: string[]) =>
  withEnded(
    known,
    realms.map((realm) => ({ realm, id: null })),
  ) ?? known;

describe('a wait that one device has begun at several realms', () => {
  it('is one, and has not ended while one of them tells of it, or has not answered', () => {
    const known = at('a', 'b');
    expect(known).toHaveLength(1);
    const half = silentOf(known, 'a');
    expect(withWait(half, begun('c', 'c1'))?.isNew).toBe(false);
    // Where none does any more, what is begun elsewhere is another one.
    const over = silentOf(half, 'b');
    expect(withWait(over, begun('c', 'c1'))?.isNew).toBe(true);
    expect(withWait(silentOf(known, 'a', 'b'), begun('c', 'c1'))?.isNew).toBe(true);
  });

  it('goes on where a realm tells of it again', () => {
    const half = silentOf(at('a', 'b'), 'a');
    const again = withEnded(half, [{ realm: 'a', id: 'a1' }]) ?? half;
    expect(withWait(silentOf(again, 'b'), begun('c', 'c1'))?.isNew).toBe(false);
  });

  it('changes nothing that was known', () => {
    const half = silentOf(at('a', 'b'), 'a');
    expect(withEnded(half, [{ realm: 'a', id: null }])).toBeNull();
    expect(withWait(half, begun('a', 'a1'))).toBeNull();
  });

  it('that ended for an earlier version has ended', () => {
    const known = at('a', 'b').map((act) => ({ ...act, isOver: true }));
    expect(withWait(known, begun('c', 'c1'))?.isNew).toBe(true);
  });

  it('is kept among so many and no more', () => {
    let known = at('a');
    for (let id = 2; id < 200; id++) {
      known = withWait(known, begun('a', `a${id}`))?.waits ?? known;
    }
    expect(known).toHaveLength(64);
  });
});
