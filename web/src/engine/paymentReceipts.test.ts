import { beforeEach, describe, expect, it } from 'vitest';
import { publicKeyOf } from '../crypto/ed25519';
import { TestLog } from '../keylog/testing/testLog';
import { fromBase64 } from '../protocol/bytes';
import type { ReceiptView } from '../protocol/wire';
import { leafOfTransfer } from '../receipt/sealedTransfer';
import {
  idOf,
  ledgerLog,
  origin,
  type Payment,
  receiptOf,
  salt,
  sealOf,
  seedOf,
  viewOf,
} from '../receipt/testing/receiptScene';
import type { MoneyReceipt } from '../state/contract';
import { pair } from './testing/people';
import { type TestDevice, until } from './testing/testDevice';
import { termsOf } from './verify';

type Scene = Awaited<ReturnType<typeof pair>> & { card: string };
let scene: Scene;

/** Ann has sent Bob 12.34 EUR, and he has taken it. */
beforeEach(async () => {
  const made = await pair();
  const { id, ann, bob } = made;
  await ann.engine.postCard({
    conversation: id,
    kind: 'transfer',
    other: bob.account,
    amountMinor: 1234n,
    asset: 'EUR',
    memo: 'Pizza',
  });
  const cardOf = async () => (await bob.items(id)).find((item) => item.type === 'card')?.card ?? null;
  await until(async () => (await cardOf()) !== null, 'bob has the card');
  const card = (await cardOf())?.id ?? '';
  await bob.engine.actOnCard(card, 'accept');
  await until(async () => (await ann.engine.services.core.card(card))?.view.state === 'accepted', 'ann knows');
  scene = { ...made, card };
});

/** As the server would make it of what ann's device signed; a test changes what it wants. */
async function paymentOf(change: Payment = {}): Promise<ReturnType<typeof receiptOf>> {
  const { core } = scene.ann.engine.services;
  const record = await core.card(scene.card);
  if (!record) {
    throw new Error('the card is there');
  }
  const { device, privateKey } = core.device;
  const terms = termsOf(record.view);
  const detailCommit = fromBase64(record.view.detailCommit);
  return receiptOf({ terms, detailCommit, device, deviceSeed: privateKey.slice(0, 32), ...change });
}

async function show(view: ReceiptView, to: TestDevice = scene.bob): Promise<MoneyReceipt> {
  const { book } = scene.server;
  book.receipts.splice(0, book.receipts.length, view);
  return to.engine.services.paymentReceipts.one(view.transfer);
}

const states = (receipt: MoneyReceipt) => Object.fromEntries(receipt.steps.map(({ part, state }) => [part, state]));
const everythingHolds = {
  ledger: 'holds',
  terms: 'holds',
  payer: 'holds',
  device: 'holds',
  card: 'holds',
  log: 'holds',
};

describe('A receipt', () => {
  it('of what was paid holds for both, in every part, and says what it was for', async () => {
    const receipt = await paymentOf();
    for (const device of [scene.bob, scene.ann]) {
      const seen = await show(viewOf(receipt), device);
      expect(states(seen)).toEqual(everythingHolds);
      expect(seen).toMatchObject({ verdict: 'sealed', retryAfterMs: null });
      expect(seen.facts).toMatchObject({
        amountMinor: 1234n,
        memo: 'Pizza',
        payer: { handle: 'ann' },
        payee: { handle: 'bob' },
        place: { index: 2, size: 5 },
        at: 1_799_999_000_000,
      });
    }
  });

  it('that is not in the log yet is signed, and says when to ask again', async () => {
    scene.server.book.retryAfterMs = 1000;
    const seen = await show(viewOf(await paymentOf(), null));
    expect(states(seen)).toEqual({ ...everythingHolds, log: 'waiting' });
    expect(seen).toMatchObject({ verdict: 'signed', retryAfterMs: 1000 });
  });

  it('is saved as the server answered it', async () => {
    const view = viewOf(await paymentOf());
    const { file } = await show(view);
    expect(JSON.parse(file.text)).toEqual(view);
    expect(file.name).toMatch(/^chatpay-receipt-2027-01-15-[0-9a-f]{8}\.json$/);
  });

  it('that the ledger did not sign says nothing at all', async () => {
    const view = viewOf(await paymentOf());
    const seen = await show({ ...view, amountMinor: '999999' });
    expect(seen).toMatchObject({ verdict: 'wrong', facts: null });
    expect(seen.steps).toEqual([{ part: 'ledger', state: 'broken', problem: 'wordsOther' }]);
  });

  it('signed by a device that is not the payer’s is wrong, though the ledger signed it', async () => {
    const seen = await show(viewOf(await paymentOf({ deviceSeed: seedOf(7) })));
    expect(seen.verdict).toBe('wrong');
    expect(seen.steps.find(({ part }) => part === 'device')).toMatchObject({ state: 'broken' });
    expect(seen.facts?.memo).toBeNull();
  });

  it('of another card than the one that was read here is wrong', async () => {
    const record = await scene.ann.engine.services.core.card(scene.card);
    const terms = { ...termsOf((record ?? { view: null }).view as never), amountMinor: 999_999n };
    const seen = await show(viewOf(await paymentOf({ terms })));
    expect(seen.verdict).toBe('wrong');
    expect(seen.steps.find(({ part }) => part === 'card')).toMatchObject({ state: 'broken', problem: 'cardOther' });
  });

  it('of another movement than was asked for is wrong', async () => {
    const view = viewOf(await paymentOf());
    scene.server.book.receipts.push({ ...view, transfer: idOf(99) });
    const answered = scene.server.book.receipt(idOf(99));
    answered.transfer = view.transfer;
    scene.server.book.receipt = () => answered;
    const seen = await scene.bob.engine.services.paymentReceipts.one(idOf(99));
    expect(seen.steps.find(({ part }) => part === 'card')).toMatchObject({ state: 'broken' });
    expect(seen.verdict).toBe('wrong');
  });

  it('with a proof that does not lead into the log is wrong', async () => {
    const receipt = await paymentOf();
    const seal = { ...sealOf(receipt), index: 3 };
    const seen = await show(viewOf(receipt, seal));
    expect(seen.steps.at(-1)).toEqual({ part: 'log', state: 'broken', problem: 'notIncluded' });
    expect(seen.verdict).toBe('wrong');
  });

  it('all of a card come page by page, by time', async () => {
    const { book } = scene.server;
    const times = [5n, 1n, 3n].map((seconds) => 1_799_999_000_000_000n + seconds * 1_000_000n);
    for (const [index, atMicros] of times.entries()) {
      book.receipts.push(viewOf(await paymentOf({ transfer: { id: idOf(20 + index), atMicros } }), null));
    }
    const seen = await scene.bob.engine.services.paymentReceipts.ofCard(scene.card);
    expect(seen.map(({ transfer }) => transfer)).toEqual([idOf(21), idOf(22), idOf(20)]);
  });
});

describe('The ledger log', () => {
  it('that is shown with two histories raises an alarm, and the receipt is wrong', async () => {
    const receipt = await paymentOf();
    expect((await show(viewOf(receipt))).verdict).toBe('sealed');
    // Longer, of the same key, and begun otherwise.
    const other = new TestLog(seedOf(3), origin);
    other.append(seedOf(9), seedOf(8), leafOfTransfer(receipt.transfer, salt), seedOf(4), seedOf(5), seedOf(6));
    scene.server.book.log = other;
    const seen = await show(viewOf(receipt, sealOf(receipt, other)));
    expect(seen.verdict).toBe('wrong');
    expect(scene.bob.screen.keys?.alarms.map(({ kind }) => kind)).toEqual(['ledgerForked']);
  });

  it('that grew is followed', async () => {
    const receipt = await paymentOf();
    expect((await show(viewOf(receipt))).verdict).toBe('sealed');
    const grown = ledgerLog(receipt);
    grown.append(seedOf(6), seedOf(7));
    scene.server.book.log = grown;
    expect((await show(viewOf(receipt, sealOf(receipt, grown)))).facts?.place?.size).toBe(7);
    // And an earlier checkpoint still goes with it.
    expect((await show(viewOf(receipt))).verdict).toBe('sealed');
    expect(scene.bob.screen.keys?.alarms).toEqual([]);
  });

  it('that is replaced is said, and what the other key signed is not taken for the new one’s', async () => {
    const view = viewOf(await paymentOf());
    expect((await show(view)).verdict).toBe('sealed');
    scene.server.book.replaceKey(publicKeyOf(seedOf(4)));
    expect((await show({ ...view, verifierKey: scene.server.book.view().verifierKey })).verdict).toBe('wrong');
    expect(scene.bob.screen.keys?.alarms.map(({ kind }) => kind)).toEqual(['ledgerReplaced']);
  });
});
