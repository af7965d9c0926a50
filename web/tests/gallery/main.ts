import { mount } from 'svelte';
import '../../src/ui/tokens.css';
import '../../src/ui/base.css';
import App from '../../src/ui/App.svelte';
import { FixtureApp } from '../fixtures/app.svelte';
import { type Scene, scenes } from '../fixtures/scenes';

// `?scene=rich#/c/…` shows a screen of the fixture client. Never part of the real build: it has an entry of its own.
const wanted = new URLSearchParams(location.search).get('scene');
const scene: Scene = scenes.find((known) => known === wanted) ?? 'rich';
const app = new FixtureApp(scene);
if (new URLSearchParams(location.search).has('hold')) {
  app.holdEarlier();
}
Object.assign(window, { fixture: app });
const target = document.getElementById('app');
if (target) {
  mount(App, { target, props: { app } });
}
