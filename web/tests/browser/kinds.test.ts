import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ids } from '../fixtures/cards';
import { kindCards, kindsConversation } from '../fixtures/kinds';
import { contextFor, type Gallery, type Look, launch, serveGallery } from '../gallery/browser';
import { focusedName, tabTo } from '../keyboard';

let browser: Browser;
let gallery: Gallery;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  gallery = await serveGallery();
  browser = await launch();
});

afterAll(async () => {
  await browser.close();
  await gallery.close();
});

afterEach(() => context.close());

async function open(
  hash: string,
  device: Look['device'] = 'desktop',
  language: Look['language'] = 'en',
): Promise<void> {
  context = await contextFor(browser, { device, theme: 'light', language });
  page = await context.newPage();
  await page.goto(`${gallery.url}?scene=rich${hash}`);
  await page.waitForSelector('#app > *');
}

const numbered = (number: number) => kindCards.find(({ id }) => id.endsWith((1000 + number).toString(16)))?.id ?? '';
const [hidden, split, packet, many, unfair, refundable] = [60, 61, 63, 72, 66, 70].map(numbered);
const thread = `#/c/${kindsConversation}`;
const dialog = () => page.getByRole('dialog');
const question = () => page.getByRole('alertdialog');
const cardOf = (id: string | undefined) => page.locator(`[data-card="${id}"]`);

describe('A bill that is split', () => {
  test('By keyboard alone: from the list to the card, with every sum in sight', async () => {
    await open(`${thread}/pay`);
    await dialog().waitFor();
    await tabTo(page, /^Split a bill/);
    await page.keyboard.press('Enter');
    await expect.poll(() => focusedName(page)).toMatch(/^Total of the bill/);
    await page.keyboard.type('50');
    // The last of the five others takes no part.
    await tabTo(page, /^Maximiliane.* takes part$/);
    await page.keyboard.press('Space');
    await expect
      .poll(() => page.getByTestId('bill-sum').textContent())
      .toBe('You ask for €40.00 and bear €10.00 yourself.');
    await page.keyboard.press('Enter');
    await page.getByTestId('asked').waitFor();
    expect(await page.getByTestId('asked').getByRole('listitem').count()).toBe(5);
    await dialog().getByText('No money moves now').waitFor();
    await tabTo(page, /^Ask for €40.00$/);
    await page.keyboard.press('Enter');
    await expect.poll(() => dialog().count()).toBe(0);
    await expect.poll(() => page.getByTestId('card').last().getAttribute('aria-label')).toContain('€40.00');
  });

  test('By amounts it says what is left, and goes on only when it adds up', async () => {
    await open(`${thread}/pay`, 'phone');
    await page.getByTestId('kind-split').click();
    await dialog().getByRole('radio', { name: 'Amounts' }).check();
    await page.getByTestId('amount').fill('20');
    await dialog().getByLabel('Amount of Amina Diallo').fill('25');
    await page.getByTestId('bill-sum').getByText('€5.00 more than the total').waitFor();
    expect(await dialog().getByRole('button', { name: 'Continue' }).isDisabled()).toBe(true);
    await dialog().getByLabel('Amount of Amina Diallo').fill('20');
    // Everybody else takes part and would pay nothing.
    await page.getByTestId('bill-sum').getByText('pays at least something').waitFor();
    for (const name of ['Bashir Karimi', 'Sam Okafor', 'Tomás Ribeiro', /^Maximiliane/]) {
      await dialog().getByRole('checkbox', { name }).uncheck();
    }
    expect(await dialog().getByRole('button', { name: 'Continue' }).isEnabled()).toBe(true);
  });

  test('Paying one’s share says that one pays, changes the card in place and moves nothing around it', async () => {
    await open(thread, 'phone');
    const card = cardOf(split);
    await card.scrollIntoViewIfNeeded();
    const before = await card.evaluate((node) => node.clientHeight);
    await card.getByTestId('card-pay').click();
    await question().getByText('You are paying €16.67 to Amina Diallo (@amina).').waitFor();
    await question().getByText('You do not receive any.').waitFor();
    await question().getByTestId('pay-confirm').click();
    await expect.poll(() => question().count()).toBe(0);
    await card.getByText('3 of 5 paid').waitFor();
    expect(await card.getByTestId('card-pay').count()).toBe(0);
    expect(await card.evaluate((node) => node.clientHeight)).toBe(before);
  });
});

describe('A gift packet', () => {
  test('It is sealed until one opens it, and says then what one got, without moving the thread', async () => {
    await open(thread, 'phone');
    const card = cardOf(packet);
    await card.scrollIntoViewIfNeeded();
    await card.getByText('5 shares inside, by chance').waitFor();
    const before = await card.evaluate((node) => node.clientHeight);
    await card.getByTestId('card-claim').click();
    await expect.poll(() => card.getByTestId('packet-mine').textContent()).toBe('€6.11');
    await card.getByText('2 of 5 taken').waitFor();
    expect(await card.getByTestId('card-claim').count()).toBe(0);
    expect(await card.evaluate((node) => node.clientHeight)).toBe(before);
  });

  test('One for a single person is not divided', async () => {
    await open(`${thread}/pay`);
    await page.getByTestId('kind-packet').click();
    await page.getByTestId('amount').fill('0.03');
    await dialog().getByText('Too little for 5 shares.').waitFor();
    expect(await dialog().getByRole('button', { name: 'Continue' }).isDisabled()).toBe(true);
    await page.getByTestId('packet-whom').selectOption({ label: 'Sam Okafor (@sam_okafor)' });
    expect(await page.getByTestId('packet-count').count()).toBe(0);
    await dialog().getByRole('button', { name: 'Continue' }).click();
    await dialog().getByText('You put €0.03 into a packet for Sam Okafor (@sam_okafor).').waitFor();
    await page.getByTestId('payee').waitFor();
  });

  test('Its details read those takers whom no event told of', async () => {
    await open(`${thread}/card/${many}`);
    const pane = page.getByTestId('card-pane');
    await pane.getByRole('button', { name: 'Show all' }).click();
    await expect.poll(() => pane.getByTestId('part-row').count()).toBe(240);
  });

  test('One that favoured somebody has a warning', async () => {
    await open(`${thread}/card/${unfair}`);
    await page.getByTestId('card-pane').getByTestId('unfair').waitFor();
  });
});

describe('What is not one’s business', () => {
  test('It has a state, and neither names nor amount nor memo nor button', async () => {
    await open(thread);
    const card = cardOf(hidden);
    expect(await card.getAttribute('aria-label')).toBe('A payment between other members, Not paid yet');
    expect((await card.textContent())?.replace(/\s+/g, ' ').trim()).toBe(
      'A payment between other members Not paid yet',
    );
    expect(await card.getByRole('button').count()).toBe(0);
    await card.getByRole('link').click();
    const pane = page.getByTestId('card-pane');
    await pane.getByText('Only the people it concerns see').waitFor();
    expect(await pane.getByText('€').count()).toBe(0);
  });
});

describe('Giving back and taking', () => {
  test('A refund is at most what is left, in part or whole, and asked about as any payment', async () => {
    await open(`${thread}/card/${refundable}`);
    const pane = page.getByTestId('card-pane');
    await pane.getByTestId('card-refund').click();
    await expect.poll(() => focusedName(page)).toMatch(/^How much/);
    await page.keyboard.type('37.51');
    await dialog().getByText('This is more than €37.50.').waitFor();
    await dialog().getByTestId('amount-whole').click();
    expect(await page.getByTestId('amount').inputValue()).toBe('37.50');
    await dialog().getByRole('button', { name: 'Continue' }).click();
    await dialog().getByText('Money leaves your wallet').waitFor();
    await dialog().getByRole('button', { name: 'Give back €37.50' }).click();
    await expect.poll(() => dialog().count()).toBe(0);
    await pane.getByTestId('refunded').getByText('€50.00 given back').waitFor();
    expect(await pane.getByTestId('card-refund').count()).toBe(0);
  });

  test('A standing payment of more than the limit asks for the PIN, though nothing leaves yet', async () => {
    await open(`#/c/${ids.amina}/pay`);
    await page.getByTestId('more-kinds').click();
    // The button that was pressed is gone: what it brought has the focus.
    await expect.poll(() => focusedName(page)).toMatch(/^Split a bill/);
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await expect.poll(() => focusedName(page)).toMatch(/^At most/);
    await page.keyboard.type('150');
    await dialog().getByRole('radio', { name: 'Week' }).check();
    await dialog().getByRole('button', { name: 'Continue' }).click();
    await dialog().getByText('You let Amina Diallo (@amina) take up to €150.00 a week from your wallet.').waitFor();
    await dialog().getByRole('button', { name: 'Continue with PIN' }).click();
    await page.getByTestId('pin-again').locator('input').fill('480279');
    await page.getByTestId('pin-go').click();
    await expect.poll(() => dialog().count()).toBe(0);
    await expect.poll(() => page.getByTestId('card').last().getAttribute('data-kind')).toBe('mandate');
  });
});

describe('When money arrives', () => {
  test('At once is offered only where safety numbers were compared, and says that it is for good', async () => {
    await open(`#/c/${ids.amina}/pay`);
    await page.getByTestId('arrival').selectOption('atOnce');
    await page.getByTestId('amount').fill('12');
    await dialog().getByRole('button', { name: 'Continue' }).click();
    expect(await page.getByTestId('fate').textContent()).toContain('at once. It cannot be taken back.');
    await context.close();
    await open(`#/c/${ids.states}/pay`);
    await page.getByTestId('arrival').waitFor();
    const offered = await page
      .getByTestId('arrival')
      .locator('option')
      .evaluateAll((all) => all.map((one) => one.getAttribute('value')));
    expect(offered).toHaveLength(3);
    await dialog().getByText('offered only to people whose safety number you have compared').waitFor();
  });

  test('In French it says the same', async () => {
    await open(`#/c/${ids.amina}/pay`, 'phone', 'fr');
    await page.getByTestId('arrival').selectOption('in2h');
    await page.getByTestId('amount').fill('12,50');
    await dialog().getByRole('button', { name: 'Continuer' }).click();
    // French keeps a number and its unit together.
    expect(await page.getByTestId('fate').textContent()).toMatch(
      /arrivera de lui-même chez Amina Diallo dans 2\u00a0heures/,
    );
  });
});
