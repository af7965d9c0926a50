import { mount } from 'svelte';
import './ui/tokens.css';
import './ui/base.css';
import Starting from './ui/entry/Starting.svelte';

const target = document.getElementById('app');
if (!target) {
  throw new Error('index.html has no #app');
}
// The screens are ready for an engine; until it is here the page shows its starting state.
mount(Starting, { target });
