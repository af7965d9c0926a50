import type { Page } from 'playwright-core';

/** Presses Tab until the focused element has this accessible name, as a person without a mouse would. */
export async function tabTo(page: Page, name: RegExp, most = 60): Promise<void> {
  const seen: string[] = [];
  for (let i = 0; i < most; i++) {
    const here = await focusedName(page);
    seen.push(here);
    if (i > 0 && name.test(here)) {
      return;
    }
    await page.keyboard.press('Tab');
  }
  if (!name.test(await focusedName(page))) {
    throw new Error(`Tab never reached ${name}; it went over: ${seen.join(', ')}`);
  }
}

export function focusedName(page: Page): Promise<string> {
  return page.evaluate(() => {
    const node = document.activeElement;
    if (!(node instanceof HTMLElement) || node === document.body) {
      return '';
    }
    const labels =
      node instanceof HTMLInputElement || node instanceof HTMLTextAreaElement ? [...(node.labels ?? [])] : [];
    return (
      (node.getAttribute('aria-label') ?? labels.map((label) => label.textContent).join(' ') ?? '').trim() ||
      (node.textContent ?? '').trim()
    );
  });
}

/** Every focused control must show it: an outline, or a ring on the box around it. */
export async function focusIsVisible(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    let node = document.activeElement;
    for (let i = 0; node && i < 3; i++, node = node.parentElement) {
      const style = getComputedStyle(node);
      const next = node.nextElementSibling ? getComputedStyle(node.nextElementSibling) : null;
      if (
        (style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) > 0) ||
        style.boxShadow.includes('inset') ||
        (next && next.outlineStyle !== 'none' && Number.parseFloat(next.outlineWidth) > 0)
      ) {
        return true;
      }
    }
    return false;
  });
}
