import type { SavedFile } from '../../state/contract';

/** Hands a file to the browser, which keeps it where the person's downloads go. */
export function saveFile({ name, type, text }: SavedFile): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // Not at once: some browsers read it after the press.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
