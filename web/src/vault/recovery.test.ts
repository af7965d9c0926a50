import { describe, expect, it } from 'vitest';
import { toHex } from '../protocol/bytes';
import { uuidToBytes } from '../protocol/ids';
import { isLie, type RealmAnswer } from './answers';
import { requestIdOf } from './messages/layout';
import { refusal } from './messages/refusal';
import { chooseStart } from './recoveryStart';
import { VaultRejection } from './rejection';
import { cheap, TestVault } from './testing/testVault';

const attemptAt = 18 + 16;
const indexAt = attemptAt + 16 + 2 + 16;
const certificateAt = indexAt + 1 + 32 + 32;
const evaluatedAt = certificateAt + 64 + 32;

describe('a recovery', { timeout: 30_000 }, () => {
  for (const [realms, threshold] of [
    [1, 1],
    [3, 2],
    [5, 3],
  ] as const) {
    it(`needs the right PIN and any ${threshold} of ${realms} realms`, async () => {
      const vault = new TestVault(realms, threshold);
      await vault.register();
      for (let set = 1; set < 1 << realms; set++) {
        const asked = vault.configuration.indices.filter((index) => (set & (1 << (index - 1))) !== 0);
        const told = asked.map((index) => vault.recover1(index));
        const { step, start } = chooseStart(vault.account, vault.configuration, told);
        expect(step.rejection).toBe(asked.length >= threshold ? VaultRejection.none : VaultRejection.sharesTooFew);
        // Each set is chosen from; of the smallest those with the last realm are gone through to the end.
        if (start === null || asked.length > threshold || set < 1 << (realms - 1)) {
          continue;
        }
        expect(start.realms).toEqual(asked);
        const recovery = await vault.begin('480279', { isPinned: true });
        expect(recovery.takeEvaluations(asked.map((index) => vault.evaluate(recovery, index))).rejection).toBe(0);
        expect(recovery.unlocked).toEqual(asked);
        const { rootSecret } = recovery.takeShares(asked.map((index) => vault.release(recovery, index)));
        expect(rootSecret).toEqual(vault.root);
      }
    });
  }

  it('tells a wrong PIN as that, with the fewest guesses left, and unlocks nothing', async () => {
    const vault = await TestVault.registered();
    vault.realm(2).used = 4;
    const recovery = await vault.begin('480278');
    const step = recovery.takeEvaluations([1, 2, 3].map((index) => vault.evaluate(recovery, index)));
    expect(step).toEqual({ rejection: VaultRejection.wrongPin, faults: [], guessesLeft: 5 });
    expect(recovery.unlocked).toEqual([]);
    expect(() => recovery.releaseRequest(1)).toThrow();
    expect(() => recovery.takeShares([])).toThrow();
  });

  for (const [pin, outcome] of [
    ['480279', VaultRejection.none],
    ['480278', VaultRejection.wrongPin],
  ] as const) {
    it(`names a realm that evaluates with another key, and goes on without it, PIN ${pin}`, async () => {
      const vault = await TestVault.registered();
      const recovery = await vault.begin(pin);
      const answers = [1, 2, 3].map((index) => vault.evaluate(recovery, index));
      const other = (answers[0] as RealmAnswer).response.slice(evaluatedAt, evaluatedAt + 32);
      answers[1] = changed(answers[1] as RealmAnswer, evaluatedAt, other);
      const step = recovery.takeEvaluations(answers);
      expect(step.rejection).toBe(outcome);
      const realm = vault.configuration.realmOf(2);
      expect(step.faults).toEqual([{ index: 2, realm, reason: VaultRejection.proofInvalid }]);
      expect(isLie(VaultRejection.proofInvalid)).toBe(true);
      expect(isLie(VaultRejection.wrongPin)).toBe(false);
    });
  }

  it('names a realm that made up a registration, which is in the minority', async () => {
    const vault = await withMadeUp(3);
    const recovery = await vault.begin();
    const step = recovery.takeEvaluations([1, 2, 3].map((index) => vault.evaluate(recovery, index)));
    expect(step.rejection).toBe(VaultRejection.none);
    expect(step.faults).toMatchObject([{ index: 3, reason: VaultRejection.realmsDisagree }]);
    expect(recovery.unlocked).toEqual([1, 2]);
  });

  it('cannot tell one against one who lies, but with the key log it can', async () => {
    const vault = await withMadeUp(3);
    for (const [isPinned, named] of [
      [false, [1, 3]],
      [true, [3]],
    ] as const) {
      const recovery = await vault.begin('480279', { isPinned });
      const step = recovery.takeEvaluations([1, 3].map((index) => vault.evaluate(recovery, index)));
      expect(step.rejection).toBe(VaultRejection.realmsDisagree);
      expect(step.faults.map((fault) => fault.index)).toEqual(named);
    }
  });

  it("tells another realm's share as swapped, and in the last step as forged", async () => {
    const vault = await TestVault.registered();
    const recovery = await vault.begin();
    const answers = [1, 2, 3].map((index) => vault.evaluate(recovery, index));
    answers[0] = { ...vault.evaluate(recovery, 2), index: 1 };
    const step = recovery.takeEvaluations(answers);
    expect(step.rejection).toBe(VaultRejection.none);
    expect(step.faults).toMatchObject([{ index: 1, reason: VaultRejection.shareSwapped }]);

    const [two, three] = [vault.release(recovery, 2), vault.release(recovery, 3)];
    const swapped = { ...three, response: readdressed(two.response, three.request) };
    const last = recovery.takeShares([two, swapped]);
    expect(last.step.rejection).toBe(VaultRejection.shareForged);
    expect(last.step.faults.map((fault) => fault.index)).toEqual([3]);
    expect(last.rootSecret).toBeNull();
    expect(recovery.takeShares([two, three]).rootSecret).toEqual(vault.root);
  });

  it('tells an earlier answer as replayed, and with the new id its proof fails', async () => {
    const vault = await TestVault.registered();
    const earlier = await vault.begin();
    const old = vault.evaluate(earlier, 1);
    const recovery = await vault.begin();
    const [fresh, other] = [vault.evaluate(recovery, 1), vault.evaluate(recovery, 2)];
    const replayed = recovery.takeEvaluations([{ ...fresh, response: old.response }, other]);
    expect(replayed.rejection).toBe(VaultRejection.responseReplayed);
    expect(replayed.faults.map((fault) => fault.index)).toEqual([1]);
    const exchanged = { ...fresh, response: readdressed(old.response, fresh.request) };
    expect(recovery.takeEvaluations([exchanged, other]).rejection).toBe(VaultRejection.proofInvalid);
    expect(recovery.takeEvaluations([fresh, other]).rejection).toBe(VaultRejection.none);
  });

  it('tells realms at different registrations apart before a guess is spent', async () => {
    const vault = await TestVault.registered();
    const before = vault.realm(2).record?.version ?? '';
    await vault.register('739156', [1]);
    const told = [1, 2, 3].map((index) => vault.recover1(index));
    const chosen = chooseStart(vault.account, vault.configuration, told);
    expect(chosen.start?.realms).toEqual([2, 3]);
    expect(chosen.start?.context.version).toBe(before);
    expect(chosen.step.faults).toMatchObject([{ index: 1, reason: VaultRejection.versionMixed }]);

    const two = chooseStart(vault.account, vault.configuration, told.slice(0, 2));
    expect(two.step.rejection).toBe(VaultRejection.versionMixed);
    expect(two.step.faults).toHaveLength(2);
    expect(two.start).toBeNull();

    const recovery = await vault.begin('480279', { version: before });
    const step = recovery.takeEvaluations([1, 2].map((index) => vault.evaluate(recovery, index)));
    expect(step.rejection).toBe(VaultRejection.versionOther);
    expect(step.faults.map((fault) => fault.index)).toEqual([1]);
    expect(vault.realm(1).used).toBe(0);
  });

  it('tells points and messages that are none by kind', async () => {
    const vault = await TestVault.registered();
    const recovery = await vault.begin();
    const [one, two] = [vault.evaluate(recovery, 1), vault.evaluate(recovery, 2)];
    const cases: [RealmAnswer, VaultRejection][] = [
      [changed(one, evaluatedAt, new Uint8Array(32)), VaultRejection.pointIdentity],
      [changed(one, evaluatedAt, new Uint8Array(32).fill(0xff)), VaultRejection.pointInvalid],
      [changed(one, indexAt + 1 + 32, new Uint8Array(32)), VaultRejection.pointIdentity],
      [{ ...one, response: one.response.slice(0, -1) }, VaultRejection.lengthWrong],
      [{ ...one, response: Uint8Array.of(1) }, VaultRejection.lengthWrong],
      [{ ...one, response: new Uint8Array() }, VaultRejection.lengthWrong],
      [changed(one, 0, Uint8Array.of(9)), VaultRejection.unknownVersion],
      [changed(one, 1, Uint8Array.of(6)), VaultRejection.wrongMessage],
      [changed(one, certificateAt, new Uint8Array(64)), VaultRejection.certificateInvalid],
      [changed(one, indexAt, Uint8Array.of(2)), VaultRejection.shareSwapped],
      [changed(one, indexAt, Uint8Array.of(17)), VaultRejection.indexInvalid],
      [changed(one, attemptAt + 16, Uint8Array.of(0, 11)), VaultRejection.guessesInvalid],
    ];
    for (const [answer, reason] of cases) {
      const step = recovery.takeEvaluations([answer, two]);
      expect(step.rejection).toBe(reason);
      expect(step.faults).toMatchObject([{ index: 1, reason }]);
    }
    expect(recovery.takeEvaluations([one, two]).rejection).toBe(VaultRejection.none);
  });

  it('notices bytes of an evaluation that are changed', async () => {
    const vault = await TestVault.registered();
    const recovery = await vault.begin();
    const one = vault.evaluate(recovery, 1);
    // Every fourth byte: each field has some, and each takes as long as a whole verification.
    for (let at = 0; at < one.response.length; at += 4) {
      // The attempt and the guesses left are the realm's to say.
      if (at < attemptAt || at >= attemptAt + 18) {
        const { faults } = recovery.takeEvaluations([flipped(one, at)]);
        expect(faults, `byte ${at}`).toHaveLength(1);
      }
    }
    expect(recovery.takeEvaluations([one]).faults).toEqual([]);
  });

  it('notices any byte of a released share that is changed', async () => {
    const vault = await TestVault.registered();
    const recovery = await vault.begin();
    recovery.takeEvaluations([vault.evaluate(recovery, 1), vault.evaluate(recovery, 2)]);
    const [one, two] = [vault.release(recovery, 1), vault.release(recovery, 2)];
    for (let at = 0; at < one.response.length; at++) {
      expect(recovery.takeShares([flipped(one, at), two]).rootSecret, `byte ${at}`).toBeNull();
    }
    expect(toHex(recovery.takeShares([one, two]).rootSecret ?? new Uint8Array())).toBe(toHex(vault.root));
  });

  it('tells what realms refuse by its reason, but takes no word for a wrong PIN', async () => {
    const vault = await TestVault.registered();
    const recovery = await vault.begin();
    const one = vault.evaluate(recovery, 1);
    const saying = (reason: VaultRejection, guessesLeft = 0) => ({
      ...one,
      response: refusal.encode(requestIdOf(one.request), { reason, guessesLeft }),
    });
    const exhausted = recovery.takeEvaluations([saying(VaultRejection.guessesExhausted)]);
    expect(exhausted).toMatchObject({ rejection: VaultRejection.guessesExhausted, guessesLeft: 0 });
    for (const reason of [VaultRejection.wrongPin, VaultRejection.none]) {
      expect(recovery.takeEvaluations([saying(reason)]).rejection).toBe(VaultRejection.wrongMessage);
    }
    const stale = { ...saying(VaultRejection.locked), request: vault.recover1(1).request };
    expect(recovery.takeEvaluations([stale]).rejection).toBe(VaultRejection.responseReplayed);
    const mixed = [saying(VaultRejection.locked), { ...saying(VaultRejection.guessesExhausted), index: 2 }];
    expect(recovery.takeEvaluations(mixed).rejection).toBe(VaultRejection.guessesExhausted);
    expect(recovery.takeEvaluations([saying(VaultRejection.notRegistered)]).rejection).toBe(
      VaultRejection.notRegistered,
    );
    expect(recovery.takeEvaluations([]).rejection).toBe(VaultRejection.sharesTooFew);
    expect(() => recovery.takeEvaluations([one, one])).toThrow(RangeError);
    expect(() => recovery.takeEvaluations([{ ...one, index: 4 }])).toThrow(RangeError);
  });

  it('outvotes a realm that offers another work for the PIN', async () => {
    const vault = await TestVault.registered();
    const told = [1, 2, 3].map((index) => vault.recover1(index));
    const passesAt = 18 + 16 + 32 + 5;
    told[0] = changed(told[0] as RealmAnswer, passesAt, Uint8Array.of(2));
    const { step, start } = chooseStart(vault.account, vault.configuration, told);
    expect(step.faults.map((fault) => fault.index)).toEqual([1]);
    expect(start?.context.parameters).toEqual(cheap);
    told[0] = changed(told[0] as RealmAnswer, passesAt, Uint8Array.of(11));
    expect(chooseStart(vault.account, vault.configuration, told).step.faults).toMatchObject([
      { index: 1, reason: VaultRejection.parametersInvalid },
    ]);
  });
});

/** One realm invents a registration: same context, keys of its own. */
async function withMadeUp(index: number): Promise<TestVault> {
  const vault = await TestVault.registered();
  const version = uuidToBytes(vault.realm(1).record?.version ?? '');
  const other = new TestVault(3, 2, 'made up');
  let isFirst = true;
  const { requests } = await other.registration('480278', (count) => {
    const drawn = other.random(count);
    const bytes = isFirst ? version : drawn;
    isFirst = false;
    return bytes;
  });
  vault.realm(index).record = null;
  vault.realm(index).answer(requests[index - 1] as Uint8Array);
  return vault;
}

function changed(answer: RealmAnswer, at: number, bytes: Uint8Array): RealmAnswer {
  const response = answer.response.slice();
  response.set(bytes, at);
  return { ...answer, response };
}

function flipped(answer: RealmAnswer, at: number): RealmAnswer {
  return changed(answer, at, Uint8Array.of((answer.response[at] ?? 0) ^ 1));
}

/** An answer with the id of another request. */
function readdressed(response: Uint8Array, request: Uint8Array): Uint8Array {
  const bytes = response.slice();
  bytes.set(request.subarray(2, 18), 2);
  return bytes;
}
