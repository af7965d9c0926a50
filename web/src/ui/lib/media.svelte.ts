import { MediaQuery } from 'svelte/reactivity';

/** Three layouts: one pane (phone), list and content, and those two with details beside them. */
export const wide = new MediaQuery('min-width: 46rem');
export const roomy = new MediaQuery('min-width: 68rem');

/** A finger and no mouse: Enter makes a new line there, and focusing a field would raise the keyboard. */
export const touch = new MediaQuery('(pointer: coarse) and (hover: none)');
