/**
 * The store of any number of processes: one Redis, whose clock is the store's clock. Each call of the port is one script, and
 * so one round trip; what waits for copies asks for them in the same.
 */

import type { Avatar } from '../../domain/avatar.js';
import { EVERYONE, isWithin, type Scope } from '../../domain/caller.js';
import type { DayOfUse } from '../../domain/spend.js';
import { wholeDelay } from '../delay.js';
import { preferredFirst, SPARE } from '../preferred.js';
import {
  type Admission,
  type Admitted,
  type Begin,
  type Begun,
  type BegunSubmit,
  type CallTerms,
  type Change,
  type Claim,
  type Claimed,
  type Feed,
  type Found,
  type Hits,
  type ListQuery,
  type Outlook,
  type Page,
  type Save,
  type SaveResult,
  type Store,
  type StoredDocument,
  type StoreHealth,
  StoreUnavailableError,
} from '../store.js';
import { Accounts } from './accounts.js';
import { Admissions } from './admissions.js';
import { Connection, type ConnectionOptions } from './connection/connection.js';
import { type Hazard, hazardsOf, infoOf, markOf, SeenPlace, unfitnessOf } from './connection/safety.js';
import { Subscription } from './connection/subscription.js';
import { Feeds } from './feeds.js';
import { idIn, idWord } from './ids.js';
import { Lists } from './lists.js';
import { beginWord, callsWord, spendWord, word } from './marks.js';
import { contentOf, Records, usable } from './records.js';
import { Submissions } from './submissions.js';

export interface RedisStoreOptions extends Omit<ConnectionOptions, 'hashTag' | 'prepare' | 'onEvent'> {
  /** The hash tag of every key: stores with different prefixes share a Redis and never meet. */
  readonly keyPrefix?: string;
  /** `strict`: a Redis that can lose tasks is not used; `warn`, the default: `onEvent` says so. */
  readonly durability?: 'strict' | 'warn';
  readonly onEvent?: (event: RedisEvent) => void;
}

export type RedisEvent =
  | { readonly kind: 'connected' }
  | { readonly kind: 'lost'; readonly error: StoreUnavailableError | undefined }
  /** What this Redis can lose tasks by. */
  | { readonly kind: 'hazards'; readonly hazards: readonly Hazard[] }
  /** Redis came back without what was written to it: what was accepted before is lost. */
  | { readonly kind: 'emptied' }
  /** Redis came back as it was earlier: what was written last is lost. */
  | { readonly kind: 'rolled-back' };

/** Returns at once, whether or not Redis is there; while it is not, every call says so. */
export function openRedisStore(options: RedisStoreOptions): Store {
  const { keyPrefix = 'avatar-gateway', durability = 'warn', onEvent = () => {}, ...rest } = options;
  const seenPlace = new SeenPlace();
  let mark: string | null = null;
  const connection = new Connection({
    ...rest,
    hashTag: keyPrefix,
    onEvent: (kind, error) => onEvent(kind === 'lost' ? { kind, error } : { kind }),
    async prepare(client) {
      const info = await infoOf(client);
      const unfitness = unfitnessOf(info);
      if (unfitness !== null) throw new StoreUnavailableError(unfitness);
      const hazards = hazardsOf(info);
      if (hazards.length > 0) {
        onEvent({ kind: 'hazards', hazards });
        if (durability === 'strict')
          throw new StoreUnavailableError(`Redis is not safe: ${hazards.join('; ')}`);
      }
      const seen = await markOf(client, connection.key('mark'), mark);
      mark = seen.mark;
      const isBehind = await seenPlace.isBehind(client, connection.key('feed'));
      if (seen.found === 'emptied') onEvent({ kind: 'emptied' });
      else if (isBehind) onEvent({ kind: 'rolled-back' });
    },
  });
  return new RedisStore(connection, seenPlace);
}

/** Up to how many bytes a submission comes along where its submit is begun. */
const INLINE_BYTES = 100_000;

type Row = readonly [id: Buffer, stored: Buffer | null, submission?: Buffer | null];
type Taken = readonly [now: number, waitMs: number, rows: readonly Row[], place?: Buffer];
type DocumentRow = readonly [
  now: number,
  revision: Buffer | number | null,
  value: Buffer | null,
  swapped?: number,
];

class RedisStore implements Store {
  readonly #redis: Connection;
  readonly #seen: SeenPlace;
  readonly #records: Records;
  readonly #submissions: Submissions;
  readonly #admissions: Admissions;
  readonly #lists: Lists;
  readonly #feeds: Feeds;
  readonly #accounts: Accounts;
  readonly #subscription: Subscription;

  constructor(redis: Connection, seen: SeenPlace) {
    this.#redis = redis;
    this.#seen = seen;
    this.#records = new Records(redis);
    this.#submissions = new Submissions(redis);
    this.#admissions = new Admissions(redis, this.#records, this.#submissions, seen);
    this.#lists = new Lists(redis, this.#records);
    this.#feeds = new Feeds(redis, this.#records);
    this.#accounts = new Accounts(redis);
    this.#subscription = new Subscription(() => redis.subscriber(), redis.key('changes'));
  }

  async admit(avatar: Avatar, submission: readonly Buffer[], admission: Admission): Promise<Admitted> {
    return this.#admissions.admit(avatar, submission, admission);
  }

  async begin(begin: Begin, limit: number, large = limit): Promise<Begun> {
    const args = { begin: beginWord(begin), limit, large, inline: INLINE_BYTES };
    for (let anew = ''; ; anew = '1') {
      const taken = (await this.#redis.write('begin', { ...args, anew }, hasTaken)) as Taken;
      const [now, waitMs, rows, place] = taken;
      this.#seen.note(place);
      const begun: BegunSubmit[] = [];
      for (const [id, stored, submission = null] of rows) {
        const found = await this.#records.read(idIn(id), stored, now);
        if (!(found instanceof Error)) begun.push({ ...storedOf(found), submission });
      }
      // What could not be read is out of the way now.
      if (begun.length > 0 || rows.length === 0) return { begun, waitMs: orNull(waitMs) };
    }
  }

  async claim(claim: Claim): Promise<Claimed> {
    const { keyId, limit, leaseMs, calls, slots = 0, overdueMs = 0, preferred } = claim;
    const overdue = wholeDelay(overdueMs);
    const ids =
      preferred === undefined || preferred.size === 0 ? null : await this.#due(keyId, limit + SPARE);
    const args = {
      ...{ key: word(keyId), limit, lease: wholeDelay(leaseMs), overdue, slots },
      ids:
        ids === null || preferred === undefined
          ? ''
          : JSON.stringify(preferredFirst(ids, preferred).map(({ id }) => idWord(id))),
      calls: callsWord(calls),
    };
    const [now, waitMs, rows] = (await this.#redis.write('claim', args, hasTaken)) as Taken;
    const claimed = [];
    for (const [id, stored] of rows) {
      const found = await this.#records.read(idIn(id), stored, now);
      if (!(found instanceof Error)) claimed.push(storedOf(found));
    }
    return { claimed, waitMs: orNull(waitMs) };
  }

  async takeCall(keyId: string, calls: CallTerms): Promise<number> {
    return Number(await this.#redis.write('take', { key: word(keyId), calls: callsWord(calls) }));
  }

  async save(avatar: Avatar, version: number, save: Save): Promise<SaveResult> {
    const { dueInMs, submission, slotForMs, silent = false } = save;
    const [result, place] = (await this.#redis.write('save', {
      ...{ id: idWord(avatar.id), version, content: contentOf(avatar), due: wholeDelay(dueInMs) },
      ...{ drop: submission === 'drop' ? '1' : '', silent: silent ? '1' : '', spend: spendWord(avatar) },
      slotFor: slotForMs === undefined ? '' : wholeDelay(slotForMs),
    })) as [Buffer, Buffer?];
    this.#seen.note(place);
    const word = String(result);
    if (word === 'saved') return { saved: true, version: version + 1 };
    return { saved: false, reason: word === 'task-taken' ? word : 'stale' };
  }

  async remove(id: string, version: number): Promise<boolean> {
    return (await this.#redis.write('remove', { id: idWord(id), version })) === 1;
  }

  async find(scope: Scope, id: string, known: Found | null = null): Promise<Found | null> {
    if (known?.ahead === null && (await this.#records.isAt(id, known.version))) return known;
    const row = await this.#redis.run('find', {
      id: idWord(id),
      caller: scope === EVERYONE ? '' : word(scope),
    });
    if (row === null) return null;
    const [now, stored, ahead] = row as [number, Buffer | null, number | null];
    const found = usable(await this.#records.read(id, stored, now, ahead));
    return isWithin(scope, found.avatar.caller) ? found : null;
  }

  async list(scope: Scope, query: ListQuery): Promise<Page> {
    return this.#lists.list(scope, query);
  }

  async feed(scope: Scope, after: number | null, limit: number): Promise<Feed> {
    return this.#feeds.feed(scope, after, limit);
  }

  async use(scope: Scope, from: string, to: string): Promise<DayOfUse[]> {
    return this.#accounts.use(scope, from, to);
  }

  async callers(): Promise<string[]> {
    return this.#accounts.callers();
  }

  async submission(id: string): Promise<Buffer | null> {
    return this.#submissions.read(id);
  }

  async outlook(keyIds: readonly string[]): Promise<Outlook> {
    const found = (await this.#redis.run('outlook', { keys: JSON.stringify(keyIds.map(word)) })) as number[];
    const [now = 0, queued = 0, queuedBytes = 0, dueInMs = -1] = found;
    const ofKey = (keyId: string, i: number) => {
      const [slots = 0, due = 0, dueInMs = -1] = found.slice(4 + 3 * i);
      return [keyId, { slots, due, dueInMs: orNull(dueInMs) }] as const;
    };
    return { now, queued, queuedBytes, dueInMs: orNull(dueInMs), keys: new Map(keyIds.map(ofKey)) };
  }

  async keyIds(): Promise<string[]> {
    const words = await this.#redis.use((client) => client.smembers(this.#redis.key('key-ids')));
    return words.map(decodeURIComponent);
  }

  async document(name: string): Promise<StoredDocument> {
    return documentOf((await this.#redis.run('document', { name })) as DocumentRow);
  }

  async swap(name: string, revision: number, value: string): Promise<StoredDocument & { swapped: boolean }> {
    const row = (await this.#redis.write('swap', { name, revision, value })) as DocumentRow;
    return { ...documentOf(row), swapped: row[3] === 1 };
  }

  async count(added: ReadonlyMap<string, number>, windowMs: number): Promise<ReadonlyMap<string, Hits>> {
    const names = [...added.keys()];
    const answer = this.#redis.run('count', { window: windowMs, added: JSON.stringify([...added]) });
    const rows = (await answer) as [number, number][];
    return new Map(rows.map(([count, leftMs], i) => [names[i] as string, { count, leftMs }]));
  }

  onChange(listener: (change: Change | null) => void): () => void {
    return this.#subscription.listen(listener);
  }

  async ping(): Promise<void> {
    await this.#redis.write('ping', {});
  }

  health(): StoreHealth {
    return { corruptRecords: this.#records.corrupt };
  }

  async close(): Promise<void> {
    this.#subscription.close();
    await this.#redis.close();
  }

  /** Those that are due longest. */
  async #due(keyId: string | null, limit: number): Promise<{ id: string }[]> {
    const index = this.#redis.key('due', ...(keyId === null ? [] : [word(keyId)]));
    const ids = await this.#redis.use((client) =>
      client.zrange(index, '-inf', '+inf', 'BYSCORE', 'LIMIT', 0, limit),
    );
    return ids.map((id) => ({ id: idIn(id) }));
  }
}

function hasTaken(result: unknown): boolean {
  return (result as Taken)[2].length > 0;
}

function storedOf({ avatar, version, now }: Found) {
  return { avatar, version, now };
}

/** A delay as the scripts say it. */
function orNull(ms: number): number | null {
  return ms < 0 ? null : ms;
}

function documentOf([now, revision, value]: DocumentRow): StoredDocument {
  return { now, revision: Number(revision ?? 0), value: value === null ? null : String(value) };
}
