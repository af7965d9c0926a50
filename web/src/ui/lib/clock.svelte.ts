/** One shared, slow clock: screens that say "23 hours left" or "Yesterday" read it and follow by themselves. */
class Clock {
  now = $state(Date.now());

  constructor() {
    setInterval(() => {
      this.now = Date.now();
    }, 30_000);
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) {
        this.now = Date.now();
      }
    });
  }
}

export const clock = new Clock();
