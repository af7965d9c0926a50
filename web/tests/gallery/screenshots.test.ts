import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'vitest';
import { contextFor, type Look, launch, serveGallery, show } from './browser';
import { screens } from './screens';

// `npm run screenshots` writes every screen to `screenshots/`; `-- thread` only those with "thread" in their name
// (by SCREENS=thread). SCREENSHOT_LOOKS narrows the looks, as in `desktop-dark-fr`.
const looks: Look[] = (['phone', 'desktop'] as const).flatMap((device) =>
  (['light', 'dark'] as const).flatMap((theme) =>
    (['en', 'fr'] as const).map((language) => ({ device, theme, language })),
  ),
);

test('Every screen has its picture', async () => {
  const folder = fileURLToPath(new URL('../../screenshots/', import.meta.url));
  const wanted = process.env.SCREENS ?? '';
  const only = process.env.SCREENSHOT_LOOKS ?? '';
  mkdirSync(folder, { recursive: true });
  const gallery = await serveGallery();
  const browser = await launch();
  try {
    for (const look of looks) {
      const name = `${look.device}-${look.theme}-${look.language}`;
      if (!name.includes(only)) {
        continue;
      }
      const context = await contextFor(browser, look);
      for (const screen of screens.filter((known) => known.name.includes(wanted))) {
        const page = await context.newPage();
        await show(page, gallery.url, screen);
        await page.screenshot({ path: `${folder}${screen.name}--${name}.png` });
        await page.close();
      }
      await context.close();
    }
  } finally {
    await browser.close();
    await gallery.close();
  }
}, 900_000);
