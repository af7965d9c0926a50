/** What a screen reader should say without moving there: new messages, and outcomes of actions. */
class Announcer {
  text = $state('');
  #flip = false;

  say(text: string): void {
    // The same words twice must still be a change, or they are not read again.
    this.#flip = !this.#flip;
    this.text = this.#flip ? text : `${text}\u00a0`;
  }
}

export const announcer = new Announcer();
