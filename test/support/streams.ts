/** Streams of events that are many, long or large. */

import type { Test } from 'tap';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import { EventReader } from './events.js';
import { postJson, URLS } from './requests.js';

/** Longer than it may take, shorter than a stream or a wait lasts by itself. */
export const WITHIN_MS = 20_000;

/** Opens streams until there is no place for one more. */
export async function openAll(t: Test, url: string, headers: Record<string, string>): Promise<EventReader[]> {
  const readers: EventReader[] = [];
  for (;;) {
    const reader = await EventReader.open(`${url}/avatars/events`, undefined, headers);
    t.teardown(() => reader.drop());
    if (reader.status === 503) return readers;
    readers.push(reader);
  }
}

/** Whether it ended in time. */
export async function ends(...readers: readonly EventReader[]): Promise<boolean> {
  const late = new Promise<false>((resolve) => setTimeout(resolve, WITHIN_MS, false).unref());
  return Promise.race([Promise.all(readers.map((reader) => reader.rest())).then(() => true), late]);
}

/** As large as they may be. */
const LARGE = {
  ...URLS,
  metadata: Object.fromEntries(
    Array.from({ length: 50 }, (_, n) => [`${n}-`.padEnd(40, 'n'), 'v'.repeat(500)]),
  ),
};
export async function makeLarge(url: string, count: number, atOnce: number): Promise<Set<string>> {
  const ids = new Set<string>();
  while (ids.size < count) {
    const responses = await Promise.all(Array.from({ length: atOnce }, () => postJson(url, LARGE)));
    for (const response of responses) ids.add(((await response.json()) as AvatarView).id);
  }
  return ids;
}

export async function readAll(t: Test, reader: EventReader, made: ReadonlySet<string>): Promise<void> {
  const open = new Set(made);
  while (open.size > 0) {
    const event = await reader.next();
    if (event === null) throw new Error(`it was cut off with ${open.size} to go`);
    open.delete(event.avatar.id);
  }
  t.pass('nothing is left out');
  reader.drop();
}
