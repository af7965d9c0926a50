import { mount } from 'svelte';
import './ui/tokens.css';
import './ui/base.css';
import { createChatApp } from './state/app.svelte';
import App from './ui/App.svelte';

const target = document.getElementById('app');
if (!target) {
  throw new Error('index.html has no #app');
}
const app = createChatApp();
mount(App, { target, props: { app } });
// The engine and the cryptography are fetched once the first picture is on the screen.
requestAnimationFrame(() => setTimeout(() => void app.start()));
