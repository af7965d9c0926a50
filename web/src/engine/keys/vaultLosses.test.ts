import { describe, expect, it } from 'vitest';
import type { PinLook, PinLoss } from '../../state/contract';
import type { SeenLoss } from '../../storage/records';
import { judgeLook, lossOfSeen, seenLoss } from './vaultLosses';

const digest = 'd1';
const fresh: SeenLoss = { digest, loss: null };
const look = (loss: PinLoss | null, isUsable = false, realms = 'first'): PinLook => ({
  guessesLeft: null,
  loss,
  isUsable,
  realms,
});

/** What is known after these looks, half a minute and more apart, and what has alarmed. */
function known(looks: PinLook[], from: SeenLoss = fresh, isKnown = true) {
  let seen = from;
  const raised: string[] = [];
  for (const [at, one] of looks.entries()) {
    const { lost, raise } = judgeLook(one, seen, at * 31_000, isKnown);
    seen = lost ?? fresh;
    raised.push(...(raise ? [raise[0]] : []));
  }
  return { loss: lossOfSeen(seen), isElsewhere: seen.isElsewhere === true, raised };
}

describe('a loss that was told', () => {
  it.each(['exhausted', 'locked', 'missing'] as const)('of a PIN (%s) stays while other realms are named', (loss) => {
    const lost = [look(loss), look(loss)];
    expect(known([...lost, look('realms_other', false, 'other')])).toEqual({
      loss,
      isElsewhere: true,
      raised: ['pinLost', 'realmsOther'],
    });
    // Its own again, and too few of them say anything; then they have it.
    const back = [...lost, look('realms_other', false, 'other'), look(null)];
    expect(known(back)).toMatchObject({ loss, isElsewhere: false });
    expect(known([...back, look(null, true)])).toMatchObject({ loss: null, isElsewhere: false });
  });

  it('alarms no more once its own realms say so again', () => {
    const other = look('realms_other', false, 'other');
    expect(known([look('locked'), other, look('locked'), other])).toMatchObject({
      loss: 'locked',
      raised: ['pinLost', 'realmsOther'],
    });
  });

  it('is believed of nothing registered when it was seen twice, whatever was named in between', () => {
    expect(known([look('missing')])).toMatchObject({ loss: null, raised: [] });
    expect(known([look('missing'), look('realms_other'), look('missing')])).toMatchObject({ loss: 'missing' });
  });
});

describe('that the server names other realms', () => {
  it('is over where the PIN’s own are named again, though too few of them answer', () => {
    const looks = [look('realms_other', false, 'other'), look(null)];
    expect(known(looks)).toMatchObject({ loss: null, isElsewhere: false });
    // Where it is not known which are its own, only an answer tells.
    expect(known(looks, fresh, false)).toMatchObject({ loss: 'realms_other', isElsewhere: true });
    expect(known([...looks, look(null, true)], fresh, false)).toMatchObject({ loss: null, isElsewhere: false });
  });

  it('alarms once for each set, of twenty', () => {
    const sets = Array.from({ length: 20 }, (_, at) => look('realms_other', false, String(at)));
    expect(known([...sets, ...sets]).raised).toHaveLength(20);
  });

  it('is read from what an earlier version has kept in the place of a loss', () => {
    const kept = seenLoss({ digest, loss: 'realms_other', isTold: false, told: ['other'] });
    expect(lossOfSeen(kept)).toBe('realms_other');
    expect(known([look(null)], kept)).toMatchObject({ loss: null, isElsewhere: false });
  });
});
