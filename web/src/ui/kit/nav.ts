/** Arrow keys, Home and End move between the rows of a list; Tab leaves it. Rows are whatever carries `data-nav`. */
export function arrowKeys(node: HTMLElement): () => void {
  function onkeydown(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) {
      return;
    }
    const rows = [...node.querySelectorAll<HTMLElement>('[data-nav]')];
    const at = rows.indexOf(document.activeElement as HTMLElement);
    if (at < 0) {
      return;
    }
    const target = { ArrowDown: rows[at + 1], ArrowUp: rows[at - 1], Home: rows[0], End: rows.at(-1) }[event.key];
    if (event.key === 'ArrowUp' && at === 0) {
      node.dispatchEvent(new CustomEvent('leavetop'));
    }
    if (target) {
      event.preventDefault();
      target.focus();
    }
  }
  node.addEventListener('keydown', onkeydown);
  return () => node.removeEventListener('keydown', onkeydown);
}

/** Moves focus to the heading of a screen that has just been opened, where reading it starts. */
export function focusHere(node: HTMLElement): void {
  node.focus({ preventScroll: true });
}
