import { i18n, type Language, languages } from '../../i18n/index.svelte';

export const themes = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];
export type LanguageChoice = 'auto' | Language;

const themeKey = 'chatpay.theme';
const languageKey = 'chatpay.language';

/** What a person chose for this browser. It holds nothing secret, so localStorage will do. */
class Prefs {
  #theme = $state<Theme>('auto');
  #language = $state<LanguageChoice>('auto');

  constructor() {
    this.#theme = themes.find((known) => known === read(themeKey)) ?? 'auto';
    this.#language = languages.find((known) => known === read(languageKey)) ?? 'auto';
    this.#apply();
    window.addEventListener('languagechange', () => this.#apply());
  }

  get theme(): Theme {
    return this.#theme;
  }

  set theme(theme: Theme) {
    this.#theme = theme;
    write(themeKey, theme);
    this.#apply();
  }

  get language(): LanguageChoice {
    return this.#language;
  }

  set language(language: LanguageChoice) {
    this.#language = language;
    write(languageKey, language);
    this.#apply();
  }

  #apply(): void {
    const root = document.documentElement;
    if (this.#theme === 'auto') {
      delete root.dataset.theme;
    } else {
      root.dataset.theme = this.#theme;
    }
    i18n.language = this.#language === 'auto' ? fromBrowser() : this.#language;
    root.lang = i18n.language;
  }
}

function fromBrowser(): Language {
  for (const tag of navigator.languages) {
    const known = languages.find((language) => tag.toLowerCase().split('-')[0] === language);
    if (known) {
      return known;
    }
  }
  return 'en';
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    if (value === 'auto') {
      localStorage.removeItem(key);
    } else {
      localStorage.setItem(key, value);
    }
  } catch {
    // A browser that refuses storage still shows the choice until it is closed.
  }
}

export const prefs = new Prefs();
