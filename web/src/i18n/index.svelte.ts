import { type Catalogue, en } from './en';
import type { ErrorName } from './errors.en';
import { fr } from './fr';

export const languages = ['en', 'fr'] as const;
export type Language = (typeof languages)[number];

const catalogues: Record<Language, Catalogue> = { en, fr };

/** The names of the languages in themselves: a person looks for their own. */
export const languageNames: Record<Language, string> = { en: 'English', fr: 'Français' };

class I18n {
  language = $state<Language>('en');

  /** Every string of the client, in the language chosen now. Reading it in a component follows the choice. */
  get t(): Catalogue {
    return catalogues[this.language];
  }

  /** For dates and numbers: the browser's region where it speaks the chosen language, so that 12-hour clocks stay. */
  get locale(): string {
    return navigator.languages.find((tag) => tag.toLowerCase().split('-')[0] === this.language) ?? this.language;
  }

  /** The sentence for an error; one that this client does not know yet gets the general sentence. */
  error(name: string): string {
    const sentences = this.t.error;
    return Object.hasOwn(sentences, name) ? sentences[name as ErrorName] : sentences.unexpected;
  }
}

export const i18n = new I18n();
