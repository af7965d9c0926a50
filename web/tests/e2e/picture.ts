import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { expect, test } from 'vitest';
import { launch } from '../gallery/browser';
import { RealServer } from '../server';
import { Person } from './person';

// `npm run picture` makes the picture of the README: the real client on the real server, on a desktop and on a phone.
const amina = { handle: 'amina', displayName: 'Amina Diallo', password: 'copper lantern walks uphill' };
const benoit = { handle: 'benoit', displayName: 'Benoît Laurent', password: 'seven quiet herons landing' };
const chiara = { handle: 'chiara', displayName: 'Chiara Rossi', password: 'umbrella maker of trieste' };
const width = 1120;
const height = 820;

test('The picture of the README is made', async () => {
  const [browser, server] = await Promise.all([launch(), RealServer.start()]);
  try {
    const a = await Person.signUp(browser, server, amina);
    const b = await Person.signUp(browser, server, benoit, { device: 'phone', theme: 'dark' });
    const c = await Person.signUp(browser, server, chiara);
    await c.startDirect(amina);
    await c.say('The hall is ours from six on Saturday.');
    await a.createGroup('Saturday market', [benoit, chiara]);
    await b.openChat('Saturday market');
    await a.say('Who can bring the second table?');
    await b.reads('Who can bring the second table?');
    await b.say('I can, and the till.');
    await b.openChats();
    await a.startDirect(benoit);
    await a.say('Did the printer send the posters?');
    await b.openChat(amina.displayName);
    await b.reads('Did the printer send the posters?');
    await b.say('Yes, all forty. They look good.');
    await a.reads('Yes, all forty. They look good.');
    await a.pay('Send', '12.34', 'Posters for the market');
    await b.act('Posters for the market', 'accept');
    await a.seesCard('Posters for the market', 'accepted');
    await b.say('Thank you! And the coffee from Tuesday?');
    await a.reads('And the coffee from Tuesday?');
    await b.pay('Request', '5.00', 'Coffee and cake');
    await a.seesCard('Coffee and cake', 'open');
    await a.openChat(benoit.displayName);
    await b.page.getByTestId('send-state').last().waitFor();
    await a.page.setViewportSize({ width, height });
    await compose(browser, await a.page.screenshot(), await b.page.screenshot());
    expect([...a.troubles, ...b.troubles, ...c.troubles]).toEqual([]);
  } finally {
    await browser.close();
    await server.stop();
  }
}, 180_000);

/** The phone in front of the desktop. */
async function compose(browser: Browser, desktop: Buffer, phone: Buffer): Promise<void> {
  const page = await browser.newPage({ viewport: { width: width + 370, height: height + 60 } });
  const image = (name: string, bytes: Buffer) =>
    `<img class="${name}" src="data:image/png;base64,${bytes.toString('base64')}" alt="">`;
  await page.setContent(`<style>
    body { margin: 0; background: #fff; }
    img { position: absolute; border-radius: 12px; box-shadow: 0 2px 16px #0004; }
    .desktop { inset: 20px auto auto 20px; width: ${width}px; }
    .phone { inset: auto 20px 20px auto; width: 330px; border: 6px solid #15171c; border-radius: 32px; }
    </style>${image('desktop', desktop)}${image('phone', phone)}`);
  await page.waitForFunction(() => [...document.images].every((one) => one.complete && one.naturalWidth > 0));
  await page.screenshot({ path: fileURLToPath(new URL('../../../docs/chatpay.png', import.meta.url)) });
  await page.close();
}
