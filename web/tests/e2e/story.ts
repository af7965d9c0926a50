import { afterEach, beforeEach } from 'vitest';

/** Where tests of a file build on each other, one that fails makes those after it skip instead of failing slowly. */
export function asOneStory(): void {
  let broken: string | null = null;
  beforeEach((context) => {
    if (broken !== null) {
      context.skip(`“${broken}” failed`);
    }
  });
  afterEach((context) => {
    if (context.task.result?.state === 'fail') {
      broken ??= context.task.name;
    }
  });
}
