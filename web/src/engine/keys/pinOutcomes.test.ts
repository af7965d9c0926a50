import { describe, expect, it } from 'vitest';
import type { VaultStep } from '../../vault/answers';
import { VaultRejection } from '../../vault/rejection';
import { failed, lossOf } from './pinOutcomes';

const realms = ['r1', 'r2', 'r3'];
const view = { realms, threshold: 2 };
const { guessesExhausted, locked, notRegistered, proofInvalid, realmsDisagree, sharesTooFew, versionOther } =
  VaultRejection;

function step(rejection: VaultRejection, ...reasons: (VaultRejection | null)[]): VaultStep {
  const faults = reasons.flatMap((reason, at) =>
    reason === null ? [] : [{ index: at + 1, realm: realms[at] ?? '', reason }],
  );
  return { rejection, faults, guessesLeft: null };
}

const nameOf = (...all: Parameters<typeof step>) => failed(step(...all), view).info.name;

describe('a vault that has lost the PIN', () => {
  it.each([
    ['vault_exhausted', guessesExhausted],
    ['vault_locked', locked],
    ['vault_not_registered', notRegistered],
  ] as const)('says %s where too few others are left', (name, reason) => {
    expect(nameOf(reason, reason, reason, reason)).toBe(name);
    expect(nameOf(reason, reason, reason, null)).toBe(name);
    expect(failed(step(reason, reason, reason, null), view).info.retryable).toBe(false);
  });

  it('is not taken for lost by the word of one realm', () => {
    expect(lossOf(step(notRegistered, notRegistered, null, null).faults, view)).toBeNull();
    expect(nameOf(notRegistered, notRegistered, null, null)).toBe('vault_too_few');
    expect(nameOf(guessesExhausted, guessesExhausted, null, null)).toBe('vault_too_few');
  });

  it('tells the gravest of several reasons', () => {
    expect(nameOf(sharesTooFew, notRegistered, locked, null)).toBe('vault_locked');
    expect(nameOf(guessesExhausted, notRegistered, guessesExhausted, null)).toBe('vault_exhausted');
  });

  it('does not hide that somebody was quicker', () => {
    expect(nameOf(versionOther, versionOther, guessesExhausted, guessesExhausted)).toBe('vault_unavailable');
  });
});

describe('a realm that lies', () => {
  it('is named, with who runs it where that is known', () => {
    const hosts = [{ realm: 'R2', address: 'https://two.example.org', operator: 'Two' }];
    const { info } = failed(step(proofInvalid, null, proofInvalid, sharesTooFew), { ...view, hosts });
    expect(info.name).toBe('vault_realm_lied');
    expect(info.details?.realms).toEqual([
      { realm: 'r2', part: 2, operator: 'Two', address: 'https://two.example.org' },
    ]);
    expect(failed(step(proofInvalid, proofInvalid), view).info.details?.realms).toEqual([
      { realm: 'r1', part: 1, operator: null, address: null },
    ]);
  });

  it('is named beside what else is said, and honest ones that only disagree are not', () => {
    const { wrongPin } = VaultRejection;
    const named = (one: VaultStep) => failed(one, view).info;
    expect(named(step(wrongPin, null, null, proofInvalid))).toMatchObject({
      name: 'wrong_pin',
      details: { realms: [{ realm: 'r3', part: 3 }] },
    });
    expect(named(step(sharesTooFew, proofInvalid, notRegistered, null)).details?.realms).toHaveLength(1);
    expect(named(step(guessesExhausted, proofInvalid, guessesExhausted, guessesExhausted))).toMatchObject({
      name: 'vault_exhausted',
      details: { realms: [{ realm: 'r1' }] },
    });
    const mixed = named(step(proofInvalid, proofInvalid, realmsDisagree, realmsDisagree));
    expect([mixed.name, mixed.details?.realms]).toEqual(['vault_realm_lied', [expect.objectContaining({ part: 1 })]]);
    expect(named(step(wrongPin, null, null, null)).details).not.toHaveProperty('realms');
  });

  it('is none where as many as are needed say the same, and the key log says another thing', () => {
    expect(nameOf(realmsDisagree, realmsDisagree, realmsDisagree, realmsDisagree)).toBe('vault_unavailable');
    expect(nameOf(realmsDisagree, realmsDisagree, null, null)).toBe('vault_realm_lied');
  });
});
