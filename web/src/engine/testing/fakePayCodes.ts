import { toBase64Url } from '../../identity/base64url';
import { Limits } from '../../protocol/limits';
import type * as wire from '../../protocol/wire';
import { type FakeServer, fail } from './fakeServer';

type FakeCode = { view: wire.PayCodeView; expiresAt: number };

/** How many may be open at once of one account. */
const most = 20;

/** Codes for paying, by the rules of docs/PROTOCOL.md. */
export class FakePayCodes {
  readonly codes = new Map<string, FakeCode>();

  constructor(readonly server: FakeServer) {}

  create(account: string, { kind, amountMinor, asset, lifetimeSeconds }: wire.NewPayCode): wire.PayCodeView {
    if ((kind === 'payMe') !== (amountMinor !== null) || (amountMinor === null) !== (asset === null)) {
      fail(1002, 'invalid_argument');
    }
    const open = [...this.codes.values()].filter(
      ({ view, expiresAt }) => view.owner.id === account && !view.scannedBy && expiresAt > Date.now(),
    );
    if (open.length >= most) {
      fail(5022, 'too_many_pay_codes');
    }
    const code = toBase64Url(crypto.getRandomValues(new Uint8Array(32)));
    const seconds = kind === 'payer' ? Limits.payerCodeSeconds : lifetimeSeconds;
    const expiresAt = Date.now() + seconds * 1000;
    const view: wire.PayCodeView = {
      code,
      kind,
      owner: this.#account(account),
      amountMinor,
      asset,
      expiresAt: new Date(expiresAt).toISOString(),
      scannedBy: null,
    };
    this.codes.set(code, { view, expiresAt });
    return view;
  }

  scan(account: string, code: string): wire.PayCodeView {
    const found = this.codes.get(code);
    if (!found || found.view.owner.id === account || found.expiresAt <= Date.now()) {
      return fail(5020, 'pay_code_unknown');
    }
    found.view.scannedBy ??= this.#account(account);
    return found.view.scannedBy.id === account ? found.view : fail(5021, 'pay_code_used');
  }

  read(account: string, code: string): wire.PayCodeView {
    const found = this.codes.get(code);
    const isThere = found?.view.owner.id === account && (found.expiresAt > Date.now() || found.view.scannedBy);
    return found && isThere ? found.view : fail(5020, 'pay_code_unknown');
  }

  remove(account: string, code: string): void {
    if (this.codes.get(code)?.view.owner.id === account) {
      this.codes.delete(code);
    }
  }

  /** Its time is over now. */
  expire(code: string): void {
    const found = this.codes.get(code);
    if (found) {
      found.expiresAt = Date.now();
    }
  }

  #account(id: string): wire.AccountView {
    const { handle, displayName } = this.server.accounts.get(id) ?? fail(2014, 'account_unknown');
    return { id, handle, displayName };
  }
}
