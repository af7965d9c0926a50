import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { contextFor, type Look } from '../gallery/browser';
import type { RealServer } from '../server';

/** How long anything may take on a busy machine before a test gives up on it. */
export const patienceMs = 90_000;

export const soon = { timeout: patienceMs, interval: 50 };

type Names = { handle: string; displayName: string; password: string };

/** Somebody with a browser of their own, who does everything through the screens. */
export class Person {
  private constructor(
    readonly names: Names,
    readonly context: BrowserContext,
    readonly page: Page,
    readonly server: RealServer,
    /** What went wrong inside the page: must stay empty. */
    readonly troubles: string[],
  ) {}

  static async open(browser: Browser, server: RealServer, names: Names, look: Partial<Look> = {}): Promise<Person> {
    const context = await contextFor(browser, { device: 'desktop', theme: 'light', language: 'en', ...look });
    context.setDefaultTimeout(patienceMs);
    const page = await context.newPage();
    const troubles: string[] = [];
    page.on('pageerror', (error) => troubles.push(error.stack ?? error.message));
    return new Person(names, context, page, server, troubles);
  }

  /** @param pin the one to set; null to do without */
  static async signUp(
    browser: Browser,
    server: RealServer,
    names: Names,
    look: Partial<Look> = {},
    pin: string | null = null,
  ): Promise<Person> {
    const person = await Person.open(browser, server, names, look);
    await person.page.goto(`${server.url}/#/sign-up`);
    await person.page.getByRole('textbox', { name: 'Handle' }).fill(names.handle);
    await person.page.getByLabel('Name', { exact: true }).fill(names.displayName);
    await person.page.getByLabel('Password', { exact: true }).fill(names.password);
    await person.page.getByRole('button', { name: 'Create account' }).click();
    await person.page.getByRole('heading', { name: 'Choose a PIN' }).waitFor();
    if (pin === null) {
      await person.page.getByTestId('skip-pin').click();
    } else {
      await person.page.getByLabel('PIN', { exact: true }).fill(pin);
      await person.page.getByLabel('Once more').fill(pin);
      await person.page.getByRole('button', { name: 'Set PIN' }).click();
    }
    await person.page.getByRole('heading', { name: 'Chats' }).waitFor();
    return person;
  }

  /** The same account in another browser: a second device, which the first one approves. */
  static async signIn(browser: Browser, server: RealServer, names: Names, approver: Person): Promise<Person> {
    const person = await Person.waiting(browser, server, names);
    await approver.approve(person);
    await person.page.getByRole('heading', { name: 'Chats' }).waitFor();
    return person;
  }

  /** A second device that nobody has approved yet. */
  static async waiting(browser: Browser, server: RealServer, names: Names): Promise<Person> {
    const person = await Person.open(browser, server, names);
    await person.page.goto(`${server.url}/#/sign-in`);
    await person.page.getByRole('textbox', { name: 'Handle' }).fill(names.handle);
    await person.page.getByLabel('Password', { exact: true }).fill(names.password);
    await person.page.getByRole('button', { name: 'Sign in' }).click();
    await person.page.getByTestId('new-device').waitFor();
    return person;
  }

  /** Brings the code that another device shows to this one, and comes back to where it was. */
  async approve(other: Person): Promise<void> {
    const code = (await other.page.getByTestId('approval-code').textContent()) ?? '';
    const before = new URL(this.page.url()).hash;
    await this.go('#/settings/devices');
    await this.page.getByTestId('approve-device').click();
    const dialog = this.page.getByRole('dialog');
    await dialog.getByLabel('Code').fill(code.trim());
    await dialog.getByRole('button', { name: 'Continue' }).click();
    await this.page.getByTestId('approve-confirm').click();
    await dialog.waitFor({ state: 'detached' });
    await this.go(before);
  }

  /** The same person in another tab. */
  on(page: Page): Person {
    return new Person(this.names, this.context, page, this.server, this.troubles);
  }

  async openChats(): Promise<void> {
    await this.go('#/');
    await this.page.getByRole('heading', { name: 'Chats' }).waitFor();
  }

  async go(hash: string): Promise<void> {
    await this.page.evaluate((next) => {
      location.hash = next;
    }, hash);
  }

  async startDirect(other: Names): Promise<void> {
    await this.go('#/new');
    await this.page.getByRole('textbox', { name: 'Handle' }).fill(other.handle);
    await this.page.getByRole('button', { name: 'Find' }).click();
    await this.page.getByRole('dialog').getByText(other.displayName).waitFor();
    await this.page.getByRole('button', { name: 'Open chat' }).click();
    await this.page.getByRole('heading', { name: other.displayName, level: 1 }).waitFor();
  }

  async createGroup(name: string, others: Names[]): Promise<void> {
    await this.go('#/new/group');
    await this.page.getByLabel('Group name').fill(name);
    for (const other of others) {
      await this.page.getByLabel('People').fill(other.handle);
      await this.page.getByRole('button', { name: 'Add person' }).click();
      await this.page.getByRole('dialog').getByText(other.displayName).waitFor();
    }
    await this.page.getByRole('button', { name: `Create group of ${others.length + 1}` }).click();
    await this.page.getByRole('heading', { name, level: 1 }).waitFor();
  }

  /** Removes somebody from the open group, and comes back to its thread. */
  async removeMember(other: Names): Promise<void> {
    await this.#inDetails(async () => {
      const member = this.page.getByTestId('member').filter({ hasText: other.displayName });
      await member.getByRole('button').click();
      await this.page.getByRole('button', { name: /^Remove/ }).click();
      await this.page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
      await member.waitFor({ state: 'detached' });
    });
  }

  /** Adds somebody to the open group, and comes back to its thread. */
  async addMember(other: Names): Promise<void> {
    await this.#inDetails(async () => {
      await this.page.getByRole('button', { name: 'Add people' }).click();
      const dialog = this.page.getByRole('dialog');
      await dialog.getByLabel('People').fill(other.handle);
      await dialog.getByRole('button', { name: 'Add person' }).click();
      await dialog.getByText(other.displayName).waitFor();
      await dialog.getByRole('button', { name: 'Add people' }).click();
      await this.page.getByTestId('member').filter({ hasText: other.displayName }).waitFor();
    });
  }

  async #inDetails(act: () => Promise<void>): Promise<void> {
    const before = new URL(this.page.url()).hash;
    await this.page.getByTestId('thread-details').click();
    await this.page.getByTestId('details-pane').waitFor();
    await act();
    await this.go(before);
  }

  row(title: string): Locator {
    return this.page
      .getByTestId('conversation-row')
      .and(this.page.getByRole('link', { name: new RegExp(`^${title}`) }));
  }

  async openChat(title: string): Promise<void> {
    await this.row(title).click();
    await this.page.getByRole('heading', { name: title, level: 1 }).waitFor();
  }

  async say(text: string): Promise<void> {
    await this.page.getByTestId('composer').fill(text);
    await this.page.getByTestId('send').click();
  }

  message(text: string): Locator {
    return this.page.getByTestId('message').filter({ hasText: text });
  }

  async reads(text: string): Promise<void> {
    await this.message(text).waitFor();
  }

  /** Fills the payment sheet up to the confirmation. */
  async composePayment(what: 'Send' | 'Request', amount: string, memo: string, to?: Names): Promise<void> {
    await this.page.getByTestId('pay-button').click();
    const sheet = this.page.getByRole('dialog');
    if (to) {
      await sheet.getByRole('button', { name: to.displayName }).click();
    }
    await sheet.getByRole('radio', { name: what, exact: true }).check();
    await sheet.getByTestId('amount').fill(amount);
    await sheet.getByTestId('memo').fill(memo);
    await sheet.getByRole('button', { name: 'Continue' }).click();
  }

  /** Opens the sheet at one of the rarer kinds, from a group's list or, with somebody, from the further ways. */
  async composeKind(kind: 'split' | 'packet' | 'mandate', amount: string, memo: string, to?: Names): Promise<Locator> {
    await this.page.getByTestId('pay-button').click();
    const sheet = this.page.getByRole('dialog');
    if (to) {
      await sheet.getByRole('button', { name: to.displayName }).click();
      await sheet.getByTestId('more-kinds').click();
    }
    await sheet.getByTestId(`kind-${kind}`).click();
    await sheet.getByTestId('amount').fill(amount);
    await sheet.getByTestId('memo').fill(memo);
    return sheet;
  }

  /** From the filled sheet through the question to the card in the thread. */
  async confirmSheet(memo: string): Promise<void> {
    await this.page.getByRole('dialog').getByRole('button', { name: 'Continue' }).click();
    await this.page.getByTestId('pay-confirm').click();
    await this.page.getByRole('dialog').waitFor({ state: 'detached' });
    await this.card(memo).waitFor();
  }

  /** Names an amount where an action asks for it, and confirms. */
  async nameAmount(place: Locator, action: 'refund' | 'draw', amount: string): Promise<void> {
    await place.getByTestId(`card-${action}`).click();
    const question = this.page.getByRole('dialog');
    await question.getByTestId('amount').fill(amount);
    await question.getByRole('button', { name: 'Continue' }).click();
    await question.getByTestId('pay-confirm').click();
    await question.waitFor({ state: 'detached' });
  }

  /** Opens a card's details, does something there, and comes back. */
  async inCard(memo: string, act: (pane: Locator) => Promise<void>): Promise<void> {
    const before = new URL(this.page.url()).hash;
    await this.card(memo).getByTestId('card-details').click();
    const pane = this.page.getByTestId('card-pane');
    await pane.waitFor();
    await act(pane);
    await this.go(before);
  }

  async pay(what: 'Send' | 'Request', amount: string, memo: string, to?: Names): Promise<void> {
    await this.composePayment(what, amount, memo, to);
    await this.page.getByTestId('pay-confirm').click();
    await this.page.getByRole('dialog').waitFor({ state: 'detached' });
    await this.card(memo).waitFor();
  }

  /** Enters the PIN that a payment asks for. */
  async enterPin(pin: string): Promise<void> {
    await this.page.getByTestId('pin-again').locator('input').fill(pin);
    await this.page.getByTestId('pin-go').click();
  }

  card(memo: string): Locator {
    return this.page.getByTestId('card').filter({ hasText: memo });
  }

  async seesCard(memo: string, state: string): Promise<void> {
    await this.card(memo)
      .and(this.page.locator(`[data-state=${state}]`))
      .waitFor();
  }

  async act(memo: string, action: string, confirm?: string): Promise<void> {
    await this.card(memo).getByTestId(`card-${action}`).click();
    if (confirm) {
      await this.page.getByRole('alertdialog').getByRole('button', { name: confirm }).click();
      await this.page.getByRole('alertdialog').waitFor({ state: 'detached' });
    }
  }

  /** Looks into the wallet until it shows this, then goes back to where it was. */
  async hasMoney(available: string, held = '€0.00'): Promise<void> {
    const before = new URL(this.page.url()).hash;
    await this.go('#/wallet');
    const shown = async () => ({
      available: (await this.page.getByTestId('available').textContent())?.trim(),
      held: (await this.page.getByTestId('held').textContent())?.trim(),
    });
    await expect.poll(shown, soon).toEqual({ available, held });
    await this.go(before);
  }

  /** Kinds of all entries, newest first. */
  async hasStatement(kinds: string[]): Promise<void> {
    const before = new URL(this.page.url()).hash;
    await this.go('#/wallet/EUR');
    const entries = this.page.getByTestId('entry');
    const shown = () => entries.evaluateAll((nodes) => nodes.map((node) => node.getAttribute('data-kind')));
    await expect.poll(shown, soon).toEqual(kinds);
    await this.go(before);
  }

  /** What the open conversation shows, line by line. */
  async history(): Promise<string[]> {
    const items = this.page.getByTestId('thread-item');
    return (await items.allInnerTexts()).map((text) => text.replace(/\s+/g, ' ').trim());
  }

  close(): Promise<void> {
    return this.context.close();
  }
}
