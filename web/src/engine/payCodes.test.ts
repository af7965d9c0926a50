import { describe, expect, it } from 'vitest';
import { toBase64Url } from '../identity/base64url';
import { payCodeOf, payCodeOfPerson, readPayCode } from '../identity/payCode';
import type { NewPayCode, PayCode } from '../state/contract';
import { FakeServer } from './testing/fakeServer';
import { person } from './testing/people';
import { type TestDevice, until } from './testing/testDevice';

const payMe: NewPayCode = { kind: 'payMe', amountMinor: 450n, asset: 'EUR', memo: 'Flat white', lifetimeSeconds: 900 };
const payer: NewPayCode = { kind: 'payer', amountMinor: null, asset: null, memo: '', lifetimeSeconds: 60 };

async function people() {
  const server = new FakeServer();
  const [shop, ada, ben] = await Promise.all(['shop', 'ada', 'ben'].map((handle) => person(server, handle)));
  if (!shop || !ada || !ben) {
    throw new Error('three were made');
  }
  return {
    server,
    shop: shop.device,
    ada: ada.device,
    ben: ben.device,
    shopClient: shop.client,
    adaClient: ada.client,
  };
}

const codesOf = (device: TestDevice) => device.engine.services.payCodes;
/** Whose code a text says that it is. */
const ownerOf = (device: TestDevice) => {
  const read = readPayCode(codesOf(device).ownText());
  if (!read) {
    throw new Error('it is one');
  }
  return read;
};
const textOf = (device: TestDevice, code: string) => payCodeOf(ownerOf(device), code);
const shownBy = (device: TestDevice, code: string) => device.screen.codes.find((shown) => shown.code === code);

async function shows(device: TestDevice, code: string, is: (shown: PayCode) => boolean): Promise<PayCode> {
  const found = () => {
    const shown = shownBy(device, code);
    return shown && is(shown) ? shown : null;
  };
  await until(
    () => found() !== null,
    () => `${device.handle} shows it, not ${JSON.stringify(shownBy(device, code)?.state)}`,
  );
  return found() as PayCode;
}

const cardOf = (device: TestDevice, id: string | null) => device.engine.services.views.cardById(id ?? '');
const refused = (name: string) => expect.objectContaining({ info: expect.objectContaining({ name }) });

describe('the text of a code', () => {
  const account = '0190a000-0000-7000-8000-000000000003';

  it('of a person names account and key, as the server’s own reader has it', () => {
    const key = new Uint8Array(32).fill(7);
    const text = payCodeOfPerson({ account, identityKey: key });
    expect(text).toBe('chatpay:payme:1:AZCgAAAAcACAAAAAAAAAAwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH');
    expect(readPayCode(` ${text.slice(0, 30)}\n${text.slice(30)} `)).toEqual({ account, identityKey: key, code: null });
  });

  it('of the server’s names besides whose it is, as the server’s own reader has it', () => {
    const identityKey = new Uint8Array(32).fill(7);
    const code = toBase64Url(new Uint8Array(32));
    const text = payCodeOf({ account, identityKey }, code);
    expect(text).toBe(
      `chatpay:pay:2:AZCgAAAAcACAAAAAAAAAAwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH${'A'.repeat(43)}`,
    );
    expect(readPayCode(text)).toEqual({ account, identityKey, code });
  });

  it.each([
    '',
    'chatpay:pay:2:',
    'chatpay:pay:2:AAAA',
    'chatpay:payme:1:AAAA',
    `chatpay:pay:1:${'A'.repeat(43)}`,
    `chatpay:safety:1:${'A'.repeat(128)}`,
    'https://example.org/',
  ])('is not %s', (text) => {
    expect(readPayCode(text)).toBeNull();
  });
});

describe('a code with an amount', () => {
  it('leads whoever scans it first to a request, which both see paid', async () => {
    const { server, shop, ada, ben } = await people();
    const code = await codesOf(shop).make(payMe);
    const { text } = await shows(shop, code, ({ state }) => state === 'open');
    expect(await codesOf(ada).scan(text)).toEqual({ what: 'payMe', code });
    expect(shownBy(ada, code)).toMatchObject({ isMine: false, amountMinor: 450n, owner: { handle: 'shop' } });
    await expect(codesOf(ben).scan(text)).rejects.toEqual(refused('pay_code_used'));

    const asked = await shows(ada, code, ({ card }) => card !== null);
    expect(cardOf(ada, asked.card)).toMatchObject({
      memo: 'Flat white',
      actions: ['pay', 'decline'],
      isUnchecked: false,
    });
    const own = await shows(shop, code, ({ card }) => card !== null);
    expect(own).toMatchObject({ state: 'taken', scannedBy: { handle: 'ada' }, card: asked.card });
    await ada.engine.actOnCard(asked.card ?? '', 'pay');
    await until(() => cardOf(shop, own.card)?.state === 'paid', 'the shop knows');
    expect(server.cards.size).toBe(1);
    // To scan it again is the same: nothing is asked for twice.
    expect(await codesOf(ada).scan(text)).toEqual({ what: 'payMe', code });
    expect(server.cards.size).toBe(1);
  });

  it('reuses the conversation of the two, and an older request of the same amount is not taken for its own', async () => {
    const { server, shop, ada } = await people();
    const id = await shop.startDirect(ada);
    const { kind, amountMinor, memo } = { kind: 'request' as const, amountMinor: 450n, memo: 'Yesterday' };
    await shop.engine.postCard({ conversation: id, kind, other: ada.account, amountMinor, asset: 'EUR', memo });
    await until(() => ada.engine.services.core.cards.size === 1, 'ada has the older one');
    const code = await codesOf(shop).make(payMe);
    await codesOf(ada).scan(textOf(shop, code));
    const { card, conversation } = await shows(ada, code, (shown) => shown.card !== null);
    expect(cardOf(ada, card)?.memo).toBe('Flat white');
    expect(conversation).toBe(id);
    expect(server.conversations.size).toBe(1);
  });

  it('is known to its owner only, and over when its time is', async () => {
    const { server, shop, ada } = await people();
    const code = await codesOf(shop).make({ ...payMe, lifetimeSeconds: 1 });
    await shows(shop, code, ({ state }) => state === 'over');
    await expect(codesOf(ada).scan(textOf(shop, code))).rejects.toEqual(refused('pay_code_unknown'));
    await shop.reload();
    await shop.online();
    expect(shownBy(shop, code)).toBeUndefined();
    expect(server.cards.size).toBe(0);
  });

  it('taken in its last moment is taken', async () => {
    const { server, shop, ada, shopClient } = await people();
    shopClient.busy.add('payCode');
    const code = await codesOf(shop).make(payMe);
    await codesOf(ada).scan(textOf(shop, code));
    server.payCodes.expire(code);
    // The shop's clock says the same.
    shop.engine.services.core.clock.learn(Date.now() + 3_600_000);
    shopClient.busy.delete('payCode');
    await shows(shop, code, ({ card }) => card !== null);
  });

  it('put out of use is good for nothing, and forgotten', async () => {
    const { server, shop, ada } = await people();
    const code = await codesOf(shop).make(payMe);
    await codesOf(shop).remove(code);
    expect(shop.screen.codes).toEqual([]);
    expect(server.payCodes.codes.size).toBe(0);
    await expect(codesOf(ada).scan(textOf(shop, code))).rejects.toEqual(refused('pay_code_unknown'));
  });

  it('asks once its owner is back, if they were away when it was scanned, and only once', async () => {
    const { server, shop, ada } = await people();
    const code = await codesOf(shop).make(payMe);
    shop.stop();
    await codesOf(ada).scan(textOf(shop, code));
    await shop.open();
    await shop.online();
    const { card } = await shows(shop, code, (shown) => shown.card !== null);
    await shop.reload();
    await shop.online();
    expect(shownBy(shop, code)).toMatchObject({ card, scannedBy: { handle: 'ada' } });
    expect(server.cards.size).toBe(1);
  });

  it('whose request is refused says so, and is asked again by a press alone', async () => {
    const { server, shop, ada } = await people();
    await shop.startDirect(ada);
    const code = await codesOf(shop).make(payMe);
    const { post } = codesOf(shop);
    let posts = 0;
    codesOf(shop).post = async () => {
      posts++;
      throw refused('identity_changed');
    };
    await codesOf(ada).scan(textOf(shop, code));
    await shows(shop, code, ({ error }) => error !== null);
    await codesOf(shop).make(payer);
    expect(posts).toBe(1);
    codesOf(shop).post = post;
    await codesOf(shop).ask(code);
    await shows(shop, code, ({ card, error }) => card !== null && error === null);
    expect(server.cards.size).toBe(1);
  });
});

describe('a server that lies about a code', () => {
  it('cannot have another account paid than the one that shows it', async () => {
    const { server, shop, ada, ben } = await people();
    const code = await codesOf(shop).make(payMe);
    const held = server.payCodes.codes.get(code);
    if (held) {
      held.view.owner = { id: ben.account, handle: 'ben', displayName: 'Shop' };
    }
    await expect(codesOf(ada).scan(textOf(shop, code))).rejects.toEqual(refused('pay_code_keys'));
    expect(shownBy(ada, code)).toBeUndefined();
  });

  it('cannot have that account’s keys exchanged: of a stranger they are compared when the request comes', async () => {
    const { shop, ada } = await people();
    const code = await codesOf(shop).make(payMe);
    const identityKey = new Uint8Array(32).fill(9);
    const text = payCodeOf({ account: shop.account, identityKey }, code);
    expect(await codesOf(ada).scan(text)).toEqual({ what: 'payMe', code });
    const { error, card } = await shows(ada, code, (shown) => shown.error !== null);
    expect([error?.name, card]).toEqual(['pay_code_keys', null]);
    // Whose keys are known is refused at once.
    const next = await codesOf(shop).make(payMe);
    await expect(codesOf(ada).scan(payCodeOf({ account: shop.account, identityKey }, next))).rejects.toEqual(
      refused('pay_code_keys'),
    );
    expect(await codesOf(ada).scan(textOf(shop, next))).toEqual({ what: 'payMe', code: next });
    await shows(ada, next, (shown) => shown.card !== null);
  });
});

describe('a payer’s code', () => {
  it('lets the first who scans it ask once, and its owner pays what is asked', async () => {
    const { shop, ada, ben } = await people();
    const code = await codesOf(ada).make(payer);
    const { text, expiresAt } = await shows(ada, code, ({ state }) => state === 'open');
    expect(expiresAt - Date.now()).toBeLessThanOrEqual(60_000);
    const scanned = await codesOf(shop).scan(text);
    expect(scanned).toMatchObject({ what: 'payer' });
    await expect(codesOf(ben).scan(text)).rejects.toEqual(refused('pay_code_used'));
    expect(await shows(ada, code, ({ state }) => state === 'taken')).toMatchObject({
      scannedBy: { handle: 'shop' },
      card: null,
    });
    const conversation = scanned.what === 'payer' ? scanned.conversation : '';
    const asking = { conversation, kind: 'request' as const, other: ada.account, asset: 'EUR' };
    await shop.engine.postCard({ ...asking, amountMinor: 1200n, memo: 'Lunch' });
    const { card } = await shows(ada, code, (shown) => shown.card !== null);
    expect(cardOf(ada, card)).toMatchObject({
      amountMinor: 1200n,
      payee: { handle: 'shop' },
      actions: ['pay', 'decline'],
    });
    await ada.engine.actOnCard(card ?? '', 'pay');
    expect(cardOf(ada, card)?.state).toBe('paid');
  });

  it('is not for its owner to scan, on no device of theirs', async () => {
    const { ada, adaClient } = await people();
    const code = await codesOf(ada).make(payer);
    await expect(codesOf(ada).scan(textOf(ada, code))).rejects.toEqual(refused('pay_code_own'));
    // Another device knows nothing of it.
    const elsewhere = await adaClient.api.createPayCode({
      kind: 'payer',
      amountMinor: null,
      asset: null,
      lifetimeSeconds: 60,
    });
    await expect(codesOf(ada).scan(textOf(ada, elsewhere.code))).rejects.toEqual(refused('pay_code_own'));
  });
});

describe('a person’s code', () => {
  it('opens the conversation with them, whose name and key it then knows', async () => {
    const { shop, ada } = await people();
    const scanned = await codesOf(ada).scan(codesOf(shop).ownText());
    const id = scanned.what === 'person' ? scanned.conversation : '';
    expect(ada.conversation(id)).toMatchObject({ kind: 'direct', peer: { id: shop.account, handle: 'shop' } });
    expect(await codesOf(ada).scan(codesOf(shop).ownText())).toEqual(scanned);
  });

  it('that names another key is not paid', async () => {
    const { shop, ada } = await people();
    const text = payCodeOfPerson({ account: shop.account, identityKey: new Uint8Array(32).fill(9) });
    await expect(codesOf(ada).scan(text)).rejects.toEqual(refused('pay_code_keys'));
  });

  it('that names another key than the one known opens not even a conversation', async () => {
    const { shop, ada } = await people();
    await ada.createGroup('Market', shop);
    const known = ada.screen.conversations.length;
    const forged = payCodeOfPerson({ account: shop.account, identityKey: new Uint8Array(32).fill(9) });
    await expect(codesOf(ada).scan(forged)).rejects.toEqual(refused('pay_code_keys'));
    await ada.settled();
    expect(ada.screen.conversations).toHaveLength(known);
  });

  it('of one’s own is refused, and whatever is no code, and everything while offline', async () => {
    const { shop, ada, adaClient } = await people();
    await expect(codesOf(ada).scan(codesOf(ada).ownText())).rejects.toEqual(refused('pay_code_own'));
    await expect(codesOf(ada).scan('chatpay:safety:1:AAAA')).rejects.toEqual(refused('pay_code_invalid'));
    adaClient.up = false;
    adaClient.drop();
    await until(() => ada.screen.state !== 'online', 'ada is offline');
    await expect(codesOf(ada).scan(codesOf(shop).ownText())).rejects.toEqual(refused('offline'));
    await expect(codesOf(ada).make(payer)).rejects.toEqual(refused('offline'));
  });
});
