import { setTimeout as pause } from 'node:timers/promises';

/** For what tells nobody when it happens: asks again and again until there is an answer, or time is up. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | null>,
  { withinMs = 30_000, everyMs = 50 } = {},
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (performance.now() > deadline) throw new Error(`waited ${withinMs} ms in vain: ${what}`);
    await pause(everyMs);
  }
}
