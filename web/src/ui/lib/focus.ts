import { tick } from 'svelte';

/**
 * For what takes the place of a button that was pressed, and for the button when it comes back: without it the focus would be
 * lost with what had it.
 */
export function takeFocus(node: HTMLElement, selector: string): void {
  void tick().then(() => {
    const { activeElement } = document;
    if (activeElement === null || activeElement === document.body) {
      node.querySelector<HTMLElement>(selector)?.focus();
    }
  });
}
