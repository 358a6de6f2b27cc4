/**
 * Records as they lie in Redis: one string of version, turn in the queue, head and, on the next line, document. Scripts read
 * and change what is before the document; that of a final avatar is packed.
 */

import { type Avatar, isFinal } from '../../domain/avatar.js';
import { isWithin, type Scope } from '../../domain/caller.js';
import { CorruptRecordError, decodeRecord, encodeRecord, NewerRecordError } from '../record.js';
import { type Found, StoreUnavailableError } from '../store.js';
import type { Connection } from './connection/connection.js';
import { idWord } from './ids.js';
import { headOf, STATUS_OF } from './marks.js';
import { pack, unpack } from './packed.js';

/** Head and document of a record. */
export function contentOf(avatar: Avatar): Buffer {
  const [document, head] = [encodeRecord(avatar), headOf(avatar)];
  const kept = isFinal(avatar.status) ? pack(document, besideOf(avatar.id, head)) : document;
  return Buffer.concat([Buffer.from(`${head}\n`), kept]);
}

/** The document of a record, unpacked. @throws CorruptRecordError */
export function documentIn(id: string, stored: Buffer): Buffer {
  const end = stored.indexOf('\n');
  const head = stored.toString('latin1', 0, Math.max(0, end)).replace(/^\S+ \S* /, '');
  return unpack(stored.subarray(end + 1), besideOf(id, head));
}

/** What is known of a record without its document. */
function besideOf(id: string, head: string): string {
  return `${id} ${head}`;
}

/** @throws CorruptRecordError, NewerRecordError */
export function recordIn(id: string, stored: Buffer): { readonly avatar: Avatar; readonly version: number } {
  const [, version, mark = '', attempt, keyId = '', intent = ''] = headIn(stored) ?? [];
  if (version === undefined) throw new CorruptRecordError(`half of the record of ${id} is missing`);
  const progress = {
    status: STATUS_OF.get(mark),
    attempt: Number(attempt),
    keyId: textIn(keyId),
    intent: textIn(intent),
  };
  return { avatar: decodeRecord(id, documentIn(id, stored), progress), version: Number(version) };
}

function headIn(stored: Buffer): RegExpExecArray | null {
  const line = stored.toString('latin1', 0, Math.max(0, stored.indexOf('\n')));
  return /^(\d+)c? \S* (\w) (\d+) (\S*) (\S*)(?: \S*){6}$/.exec(line);
}

function textIn(word: string): string | null {
  try {
    return word === '' ? null : decodeURIComponent(word);
  } catch {
    throw new CorruptRecordError('a word of a record cannot be read');
  }
}

/** What was found under an id; an error where it cannot be used. */
export type FoundRecord = Found | CorruptRecordError | NewerRecordError;

/** @throws CorruptRecordError; StoreUnavailableError where a newer release wrote it */
export function usable(found: FoundRecord): Found {
  if (found instanceof NewerRecordError) throw new StoreUnavailableError(found.message, { cause: found });
  if (found instanceof CorruptRecordError) throw found;
  return found;
}

/** What scripts return of records. One that cannot be read is moved out of the way. */
export class Records {
  readonly #redis: Connection;
  #corrupt = 0;

  constructor(redis: Connection) {
    this.#redis = redis;
  }

  /** How many were quarantined here. */
  get corrupt(): number {
    return this.#corrupt;
  }

  /** Whether a record is at a version. What is wrong with one is said by whoever reads it. */
  async isAt(id: string, version: number): Promise<boolean> {
    const key = this.#redis.key('avatar', idWord(id));
    const start = await this.#redis.use((client) => client.getrange(key, 0, 16)).catch(() => '');
    return Number(/^\d+(?=c? )/.exec(start)?.[0]) === version;
  }

  /** @param stored `null` where there is none. @throws StoreUnavailableError */
  async read(
    id: string,
    stored: Buffer | null,
    now: number,
    ahead: number | null = null,
  ): Promise<FoundRecord> {
    try {
      if (stored === null) throw new CorruptRecordError(`the record of ${id} is lost`);
      return { ...recordIn(id, stored), now, ahead };
    } catch (error) {
      if (error instanceof NewerRecordError) return error;
      if (!(error instanceof CorruptRecordError)) throw error;
      const isMoved = await this.#redis.write('quarantine', { id: idWord(id), stored: stored ?? '' });
      if (isMoved === 1) this.#corrupt += 1;
      return error;
    }
  }

  /**
   * What an id in a list or feed leads to, read at the same moment; `null` where there is nothing to show.
   * @param name what the avatar is called there
   * @throws StoreUnavailableError
   */
  async listed(
    scope: Scope,
    id: string,
    stored: Buffer | null,
    now: number,
    ahead: number | null,
    from: string,
    name: string,
  ): Promise<Found | null> {
    if (stored === null) {
      // It leads nowhere. Where it cannot be taken out it is passed over again.
      await this.#redis.use((client) => client.zrem(this.#redis.key(from), name)).catch(() => {});
      return null;
    }
    const found = await this.read(id, stored, now, ahead);
    return found instanceof Error || !isWithin(scope, found.avatar.caller) ? null : found;
  }
}
