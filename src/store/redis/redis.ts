/**
 * The store of any number of processes: one Redis, whose clock is the store's clock.
 *
 * Every key a script touches is passed to it, so that a Redis Cluster takes them. That is why a claim is two steps, the
 * due ids and then a script for each: which records it will touch is only known once the ids are read. Another worker
 * may take an id in between; the second step looks again.
 */

import type { Avatar } from '../../domain/avatar.js';
import { EVERYONE, type Scope } from '../../domain/caller.js';
import type { DayOfUse } from '../../domain/spend.js';
import { standingOf } from '../../domain/standing.js';
import { wholeDelay } from '../delay.js';
import { SPARE as CLAIM_SPARE, type Preferred, preferredFirst } from '../preferred.js';
import { CorruptRecordError, NewerRecordError } from '../record.js';
import {
  type Change,
  type CreatedOrKnown,
  type Creation,
  type Feed,
  type Found,
  type Hits,
  type ListQuery,
  type Outlook,
  type Page,
  type Save,
  type SaveResult,
  type SharedDocument,
  type Store,
  type Stored,
  type StoreHealth,
  StoreUnavailableError,
} from '../store.js';
import { Accounts } from './accounts.js';
import { Connection, type ConnectionOptions } from './connection.js';
import { Creations } from './creations.js';
import { type DocumentRow, documentOf } from './documents.js';
import { Everyone } from './everyone.js';
import { Feeds } from './feeds.js';
import { Keys } from './keys.js';
import { Lists } from './lists.js';
import { LostWrites } from './lost-writes.js';
import { Records } from './records.js';
import { type Hazard, hazardsOf, infoOf, markOf, unfitnessOf } from './safety.js';
import { Submissions } from './submissions.js';
import { Subscription } from './subscription.js';
import { Writes } from './writes.js';

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
  | { readonly kind: 'emptied' };

/** Returns at once, whether or not Redis is there; while it is not, every call says so. */
export function openRedisStore(options: RedisStoreOptions): Store {
  const { keyPrefix = 'avatar-gateway', durability = 'warn', onEvent = () => {}, ...rest } = options;
  const keys = new Keys(keyPrefix);
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
      const seen = await markOf(client, keys.mark, mark);
      mark = seen.mark;
      if (seen.found === 'emptied') onEvent({ kind: 'emptied' });
    },
  });
  return new RedisStore(connection, keys);
}

/** How many of the queue are looked at beyond those wanted, for those in doubt and those that cannot be read. */
const SPARE = 100;

class RedisStore implements Store {
  readonly #redis: Connection;
  readonly #keys: Keys;
  readonly #records: Records;
  readonly #submissions: Submissions;
  readonly #creations: Creations;
  readonly #writes: Writes;
  readonly #lists: Lists;
  readonly #feeds: Feeds;
  readonly #everyone: Everyone;
  readonly #accounts: Accounts;
  readonly #subscription: Subscription;

  constructor(redis: Connection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
    this.#records = new Records(redis, keys);
    this.#submissions = new Submissions(redis, keys);
    const lost = new LostWrites();
    this.#creations = new Creations(redis, keys, lost, this.#submissions);
    this.#writes = new Writes(redis, keys, lost, this.#records);
    this.#everyone = new Everyone(redis, keys);
    this.#lists = new Lists(redis, keys, this.#records, this.#everyone);
    this.#feeds = new Feeds(redis, keys, this.#records, this.#everyone);
    this.#accounts = new Accounts(redis, keys, this.#everyone);
    this.#subscription = new Subscription(() => redis.subscriber(), keys.changes);
  }

  async create(
    avatar: Avatar,
    submission: readonly Buffer[],
    creation: Creation,
    last = false,
  ): Promise<CreatedOrKnown> {
    const made = await this.#creations.make(avatar, submission, creation);
    if (made.owner === null) return { avatar, version: 1, now: made.now, spent: made.spent };
    const owner = await this.find(avatar.caller, made.owner);
    if (owner !== null) return { ...owner, spent: null };
    // Forgotten just now, and the key is free; or its record was lost, and the key is not.
    if (last) throw new CorruptRecordError('an idempotency key leads to no record');
    return this.create(avatar, submission, creation, true);
  }

  async find(scope: Scope, id: string): Promise<Found | null> {
    const found = await this.#records.find(scope, id);
    if (found instanceof NewerRecordError) throw new StoreUnavailableError(found.message, { cause: found });
    if (found instanceof CorruptRecordError) throw found;
    return found;
  }

  async submission(id: string): Promise<Buffer | null> {
    return this.#submissions.read(id);
  }

  async next(limit: number): Promise<Stored[]> {
    const { queue, doubt } = this.#keys;
    const ids = (await this.#redis.run('next', [queue, doubt], limit + SPARE, limit + SPARE)) as Buffer[];
    const first: Stored[] = [];
    for (let from = 0; first.length < limit && from < ids.length; ) {
      const some = ids.slice(from, from + limit - first.length).map(String);
      from += some.length;
      const found = await Promise.all(some.map((id) => this.#queued(id)));
      first.push(...found.filter((each) => each !== null));
    }
    return first;
  }

  async claim(
    lane: string | null,
    limit: number,
    leaseMs: number,
    preferred: Preferred = new Set(),
  ): Promise<Stored[]> {
    const due = this.#keys.dueOf(lane);
    const looked = limit + (preferred.size > 0 ? CLAIM_SPARE : 0);
    const found = ((await this.#redis.run('due', [due], looked)) as Buffer[]).map((id) => ({
      id: String(id),
    }));
    const claims = await Promise.allSettled(
      preferredFirst(found, preferred)
        .slice(0, limit)
        .map(({ id }) => this.#records.claim(id, due, wholeDelay(leaseMs))),
    );
    const claimed = claims.flatMap((claim) => (claim.status === 'fulfilled' ? (claim.value ?? []) : []));
    const refused = claims.find((claim) => claim.status === 'rejected');
    // What was taken before the connection went is worth having; the rest is due again when its lease ends.
    if (refused !== undefined && claimed.length === 0) throw refused.reason;
    return claimed;
  }

  async save(avatar: Avatar, version: number, save: Save): Promise<SaveResult> {
    return this.#writes.save(avatar, version, save);
  }

  async remove(id: string, version: number): Promise<boolean> {
    return this.#writes.remove(id, version);
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
    return this.#everyone.callers();
  }

  async outlook(lanes: readonly string[]): Promise<Outlook> {
    const { due, queue, bytes } = this.#keys;
    const keys = [due, queue, bytes, ...lanes.flatMap((lane) => this.#keys.ofLane(lane))];
    const found = (await this.#redis.run('outlook', keys)) as number[];
    const [now = 0, queued = 0, queuedBytes = 0, dueInMs = -1] = found;
    const ofLane = (lane: string, i: number) => {
      const [slots = 0, due = 0, dueInMs = -1] = found.slice(4 + 3 * i);
      return [lane, { slots, due, dueInMs: orNull(dueInMs) }] as const;
    };
    return { now, queued, queuedBytes, dueInMs: orNull(dueInMs), lanes: new Map(lanes.map(ofLane)) };
  }

  lanes(): Promise<string[]> {
    return this.#redis.use((client) => client.smembers(this.#keys.lanes));
  }

  async document(name: string): Promise<SharedDocument> {
    return documentOf((await this.#redis.run('document', [this.#keys.document(name)])) as DocumentRow);
  }

  async swap(name: string, revision: number, value: string): Promise<SharedDocument & { swapped: boolean }> {
    const row = (await this.#redis.write(
      'swap',
      [this.#keys.document(name)],
      revision,
      value,
    )) as DocumentRow;
    return { ...documentOf(row), swapped: row[3] === 1 };
  }

  async count(added: ReadonlyMap<string, number>, windowMs: number): Promise<ReadonlyMap<string, Hits>> {
    const keys = Array.from(added.keys(), (name) => this.#keys.hits(name));
    const rows = (await this.#redis.run('count', keys, windowMs, ...added.values())) as [number, number][];
    const hits = rows.map(([count, leftMs]) => ({ count, leftMs }));
    return new Map(Array.from(added.keys(), (name, i) => [name, hits[i] as Hits]));
  }

  onChange(listener: (change: Change | null) => void): () => void {
    return this.#subscription.listen(listener);
  }

  async ping(): Promise<void> {
    // A write: a replica and a full Redis answer a PING, too.
    await this.#redis.use((client) => client.set(this.#keys.ping, '', 'PX', 60_000));
  }

  health(): StoreHealth {
    return { corruptRecords: this.#records.corrupt };
  }

  async close(): Promise<void> {
    this.#subscription.close();
    await this.#redis.close();
  }

  /** What is in the queue under an id; `null` where it is none that can be submitted. */
  async #queued(id: string): Promise<Stored | null> {
    const found = await this.#records.find(EVERYONE, id);
    if (found === null) await this.#records.setAside(id);
    if (found === null || found instanceof Error) return null;
    // Another worker may have taken it since the queue was read.
    return standingOf(found.avatar).queued ? found : null;
  }
}

/** A delay as the scripts say it. */
function orNull(ms: number): number | null {
  return ms < 0 ? null : ms;
}
