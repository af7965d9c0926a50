import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cameraArguments, filmOf, photoOf } from '../camera';
import { ids } from '../fixtures/cards';
import { safetyCodeShown } from '../fixtures/codes';
import { contextFor, type Gallery, launch, serveGallery } from '../gallery/browser';
import { focusedName, tabTo } from '../keyboard';

const otherKey = `${safetyCodeShown.slice(0, -4)}AAAA`;
const approval = `chatpay:approve:1:${'q'.repeat(128)}`;
const folder = mkdtempSync(join(tmpdir(), 'chatpay-scan-'));
const safety = `#/c/${ids.amina}/details`;

let gallery: Gallery;
let browser: Browser | null = null;

beforeAll(async () => {
  gallery = await serveGallery();
});

afterEach(async () => {
  await browser?.close();
  browser = null;
});

afterAll(async () => {
  await gallery.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A page whose browser has a camera that films this text. */
async function filming(text: string, hash: string, answer: 'allow' | 'deny' = 'allow'): Promise<Page> {
  return open(cameraArguments(filmOf(folder, `film-${text.length}`, text), answer), hash);
}

async function open(more: string[], hash: string): Promise<Page> {
  browser = await launch(more);
  const context = await contextFor(browser, { device: 'phone', theme: 'light', language: 'en' });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  // What the page has of cameras, so that a test sees them let go of.
  await page.addInitScript(() => {
    const tracks: MediaStreamTrack[] = [];
    Object.assign(window, { tracks });
    const { mediaDevices } = navigator;
    const ask = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = async (wanted) => {
      const stream = await ask(wanted);
      tracks.push(...stream.getTracks());
      return stream;
    };
  });
  await page.goto(`${gallery.url}?scene=changed${hash}`);
  return page;
}

function live(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      (window as unknown as { tracks: MediaStreamTrack[] }).tracks.filter((one) => one.readyState === 'live').length,
  );
}

async function openSafety(page: Page): Promise<void> {
  // Amina's keys have changed in this scene, so hers is open already.
  await page.getByTestId('scan-safety').click();
  await page.getByTestId('scanner').waitFor();
}

const phase = (page: Page, name: string) => page.locator(`[data-testid=scanner][data-phase=${name}]`).waitFor();

describe('Scanning a safety number', () => {
  test('The same one marks the person as compared, and the camera is let go of', async () => {
    const page = await filming(safetyCodeShown, safety);
    expect(await page.getByTestId('verified').count()).toBe(0);
    await openSafety(page);
    await page.getByText('It is the same.').waitFor();
    await page.getByTestId('verified').waitFor();
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    await expect.poll(() => live(page)).toBe(0);
  });

  test('Another one says what to do, and nobody is marked, nor can be by the other button', async () => {
    const page = await filming(otherKey, safety);
    await openSafety(page);
    await page.getByTestId('safety-differs').getByText('Do not write anything confidential').waitFor();
    expect(await page.getByTestId('verified').count()).toBe(0);
    expect(await page.getByTestId('mark-verified').count()).toBe(0);
    await expect.poll(() => live(page)).toBe(0);
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id }) => id)).toEqual([]);
  });

  test('Something else is told of while the camera goes on; Esc ends it and gives the focus back', async () => {
    const page = await filming('https://example.org/menu', safety);
    await openSafety(page);
    await page.getByText('This is not the code of a safety number.').waitFor();
    await phase(page, 'looking');
    await expect.poll(() => live(page)).toBe(1);
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id }) => id)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await expect.poll(() => live(page)).toBe(0);
    await expect.poll(() => focusedName(page)).toBe('Scan their code');
  });

  test('A page that nobody sees does not film, and goes on when it is seen again', async () => {
    const page = await filming('', safety);
    await openSafety(page);
    await phase(page, 'looking');
    await hide(page, true);
    await expect.poll(() => live(page)).toBe(0);
    await hide(page, false);
    await phase(page, 'looking');
    await expect.poll(() => live(page)).toBe(1);
  });
});

describe('A picture that is chosen while the camera films', () => {
  // The library is what reads: most browsers on desks have no reader of their own. It is slow here, so that looks at the video
  // and the picture meet.
  async function slow(film: string): Promise<Page> {
    const page = await filming(film, '#/', 'allow');
    await page.addInitScript(() => {
      Object.assign(window, { BarcodeDetector: undefined, said: [] });
      window.Worker = class extends Worker {
        override postMessage(message: unknown, transfer: unknown): void {
          setTimeout(() => super.postMessage(message, transfer as Transferable[]), 300);
        }
      };
      const { said } = window as unknown as { said: string[] };
      new MutationObserver(() => {
        const text = document.querySelector('[data-testid=scanner] [role=status]')?.textContent ?? '';
        if (text !== '' && text !== said.at(-1)) {
          said.push(text);
        }
      }).observe(document, { subtree: true, childList: true, characterData: true });
    });
    await page.goto(`${gallery.url}?scene=changed&slow${safety}`);
    await openSafety(page);
    await phase(page, 'looking');
    return page;
  }

  const choose = (page: Page, text: string) =>
    page.getByTestId('scan-file').setInputFiles({ name: 'code.png', mimeType: 'image/png', buffer: photoOf(text) });

  test('Is the one that is judged, and no look at the video takes its answer', async () => {
    const page = await slow('');
    await choose(page, 'https://example.org/menu');
    await page.getByText('This is not the code of a safety number.').waitFor();
    await choose(page, otherKey);
    await page.getByTestId('safety-differs').waitFor();
    const said = await page.evaluate(() => (window as unknown as { said: string[] }).said);
    expect(said.filter((text) => text.startsWith('No QR code'))).toEqual([]);
    await expect.poll(() => live(page)).toBe(0);
  });

  test('Gives way to the one that is chosen after it', async () => {
    const page = await slow('');
    await choose(page, otherKey);
    await choose(page, safetyCodeShown);
    await page.getByText('It is the same.').waitFor();
    expect(await page.getByTestId('safety-differs').count()).toBe(0);
  });
});

describe('Without a picture from the camera', () => {
  test('Refused, it says so, and a picture does as well', async () => {
    const page = await filming(safetyCodeShown, safety, 'deny');
    await openSafety(page);
    await page.getByRole('alert').getByText('ChatPay may not use the camera.').waitFor();
    await phase(page, 'refused');
    await page
      .getByTestId('scan-file')
      .setInputFiles({ name: 'a.txt', mimeType: 'image/png', buffer: Buffer.from('no') });
    await page.getByText('This file cannot be read as a picture.').waitFor();
    await page
      .getByTestId('scan-file')
      .setInputFiles({ name: 'empty.png', mimeType: 'image/png', buffer: photoOf('') });
    await page.getByText('No QR code was found in this picture.').waitFor();
    const buffer = photoOf(safetyCodeShown);
    await page.getByTestId('scan-file').setInputFiles({ name: 'code.png', mimeType: 'image/png', buffer });
    await page.getByText('It is the same.').waitFor();
  });

  test('None there, it says so, by keyboard too', async () => {
    const page = await open(['--use-fake-ui-for-media-stream'], safety);
    await openSafety(page);
    await page.getByRole('alert').getByText('No camera was found.').waitFor();
    await tabTo(page, /^Try again/);
    await page.keyboard.press('Enter');
    // The button went away for a moment: the scanner has the focus, not the page.
    await expect.poll(() => focusedName(page)).toBe('Scan a code');
    await page.getByRole('alert').getByText('No camera was found.').waitFor();
    await tabTo(page, /^Choose a picture/);
  });

  test('One that goes away while it films is missed', async () => {
    const page = await filming('', safety);
    await openSafety(page);
    await phase(page, 'looking');
    await page.evaluate(() => {
      for (const track of (window as unknown as { tracks: MediaStreamTrack[] }).tracks) {
        track.dispatchEvent(new Event('ended'));
      }
    });
    await page.getByRole('alert').getByText('The camera has gone.').waitFor();
  });
});

test('The code of a new device is scanned instead of typed, and asked about before anything is given', async () => {
  const page = await filming(approval, '#/settings/devices');
  await page.getByTestId('approve-device').click();
  await page.getByTestId('scan-approval').click();
  await page.getByRole('heading', { name: 'Give Safari on iPhone your keys?' }).waitFor();
  // The scanner had the focus and is gone; the question is where reading goes on.
  await expect.poll(() => focusedName(page)).toBe('Give Safari on iPhone your keys?');
  await expect.poll(() => live(page)).toBe(0);
  await page.getByTestId('approve-confirm').click();
  await page.getByText('Safari on iPhone is approved.').waitFor();
});

function hide(page: Page, hidden: boolean): Promise<void> {
  return page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => value });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
}
