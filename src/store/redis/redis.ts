/**
 * The store of any number of processes: one Redis, whose clock is the store's clock. Each call of the port is one script, and
 * so one round trip; what waits for copies asks for them in the same.
 */

import { EVERYONE, isWithin } from '../../domain/caller.js';
import { wholeDelay } from '../delay.js';
import { preferredFirst, SPARE } from '../preferred.js';
import { type Store, type StoredDocument, StoreUnavailableError } from '../store.js';
import { Accounts } from './accounts.js';
import { admit } from './admissions.js';
import { Connection, type ConnectionOptions } from './connection/connection.js';
import { type Hazard, hazardsOf, infoOf, Known, unfitnessOf } from './connection/safety.js';
import { Subscription } from './connection/subscription.js';
import { feed } from './feeds.js';
import { idIn, idWord } from './ids.js';
import { list } from './lists.js';
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
  const known = new Known();
  const redis = new Connection({
    ...rest,
    hashTag: keyPrefix,
    onEvent(kind, error) {
      if (kind === 'connected') subscription.renew();
      onEvent(kind === 'lost' ? { kind, error } : { kind });
    },
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
      const loss = await known.lossOf(client, redis.key('mark'), redis.key('feed'));
      if (loss !== null) onEvent({ kind: loss });
    },
  });
  const subscription = new Subscription((options) => redis.beside(options), redis.key('changes'));
  return storeOn(redis, known, subscription);
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

function storeOn(redis: Connection, known: Known, subscription: Subscription): Store {
  const records = new Records(redis);
  const submissions = new Submissions(redis);
  const accounts = new Accounts(redis);

  /** What a script took, as far as it can be read. */
  async function readTaken([now, , rows]: Taken) {
    const taken = [];
    for (const [id, stored, submission = null] of rows) {
      const found = await records.read(idIn(id), stored, now);
      if (!(found instanceof Error))
        taken.push({ avatar: found.avatar, version: found.version, now, submission });
    }
    return taken;
  }

  return {
    admit: (avatar, submission, admission) =>
      admit({ redis, records, submissions, known }, avatar, submission, admission),
    async begin(begin, limit, large = limit) {
      const args = { begin: beginWord(begin), limit, large, inline: INLINE_BYTES };
      for (;;) {
        const taken = (await redis.write('begin', args, hasTaken)) as Taken;
        known.note(taken[3]);
        const begun = await readTaken(taken);
        // What could not be read is out of the way now.
        if (begun.length > 0 || !hasTaken(taken)) return { begun, waitMs: orNull(taken[1]) };
      }
    },
    async claim({ keyId, limit, leaseMs, calls, slots = 0, overdueMs = 0, preferred }) {
      let ids = '';
      if (preferred !== undefined && preferred.size > 0) {
        const index = redis.key('due', ...(keyId === null ? [] : [word(keyId)]));
        const due = await redis.use((client) =>
          client.zrange(index, '-inf', '+inf', 'BYSCORE', 'LIMIT', 0, limit + SPARE),
        );
        ids = JSON.stringify(preferredFirst(due, (id) => preferred.has(idIn(id))));
      }
      const args = {
        ...{ key: word(keyId), ids, limit, lease: wholeDelay(leaseMs), overdue: wholeDelay(overdueMs) },
        ...{ slots, calls: callsWord(calls) },
      };
      const taken = (await redis.write('claim', args, hasTaken)) as Taken;
      return { claimed: await readTaken(taken), waitMs: orNull(taken[1]) };
    },
    takeCall: async (keyId, calls) =>
      Number(await redis.write('take', { key: word(keyId), calls: callsWord(calls) })),
    async save(avatar, version, { dueInMs, submission, slotForMs, silent = false }) {
      const [result, place] = (await redis.write('save', {
        ...{ id: idWord(avatar.id), version, content: contentOf(avatar), due: wholeDelay(dueInMs) },
        ...{ drop: submission === 'drop' ? '1' : '', silent: silent ? '1' : '', spend: spendWord(avatar) },
        slotFor: slotForMs === undefined ? '' : wholeDelay(slotForMs),
      })) as [Buffer, Buffer?];
      known.note(place);
      const outcome = String(result);
      if (outcome === 'saved') return { saved: true, version: version + 1 };
      return { saved: false, reason: outcome === 'task-taken' ? outcome : 'stale' };
    },
    remove: async (id, version) => (await redis.write('remove', { id: idWord(id), version })) === 1,
    async find(scope, id, before = null) {
      if (before?.ahead === null && (await records.isAt(id, before.version))) return before;
      const caller = scope === EVERYONE ? '' : word(scope);
      const row = await redis.run('find', { id: idWord(id), caller });
      if (row === null) return null;
      const [now, stored, ahead] = row as [number, Buffer | null, number | null];
      const found = usable(await records.read(id, stored, now, ahead));
      return isWithin(scope, found.avatar.caller) ? found : null;
    },
    list: (scope, query) => list(redis, records, scope, query),
    feed: (scope, after, limit) => feed(redis, records, scope, after, limit),
    use: (scope, from, to) => accounts.use(scope, from, to),
    callers: () => accounts.callers(),
    submission: (id) => submissions.read(id),
    async outlook(keyIds) {
      const found = (await redis.run('outlook', { keys: JSON.stringify(keyIds.map(word)) })) as number[];
      const [now = 0, queued = 0, queuedBytes = 0, dueInMs = -1] = found;
      const ofKey = (keyId: string, i: number) => {
        const [slots = 0, due = 0, dueInMs = -1] = found.slice(4 + 3 * i);
        return [keyId, { slots, due, dueInMs: orNull(dueInMs) }] as const;
      };
      return { now, queued, queuedBytes, dueInMs: orNull(dueInMs), keys: new Map(keyIds.map(ofKey)) };
    },
    async keyIds() {
      const words = await redis.use((client) => client.smembers(redis.key('key-ids')));
      return words.map(decodeURIComponent);
    },
    document: async (name) => documentOf((await redis.run('document', { name })) as DocumentRow),
    async swap(name, revision, value) {
      const row = (await redis.write('swap', { name, revision, value })) as DocumentRow;
      return { ...documentOf(row), swapped: row[3] === 1 };
    },
    async count(added, windowMs) {
      const names = [...added.keys()];
      const answer = redis.run('count', { window: windowMs, added: JSON.stringify([...added]) });
      const rows = (await answer) as [number, number][];
      return new Map(rows.map(([count, leftMs], i) => [names[i] as string, { count, leftMs }]));
    },
    onChange: (listener) => subscription.listen(listener),
    ping: async () => void (await redis.write('ping', {})),
    health: () => ({ corruptRecords: records.corrupt }),
    close() {
      subscription.close();
      return redis.close();
    },
  };
}

const hasTaken = (result: unknown): boolean => (result as Taken)[2].length > 0;

/** A delay as the scripts say it. */
const orNull = (ms: number): number | null => (ms < 0 ? null : ms);

function documentOf([now, revision, value]: DocumentRow): StoredDocument {
  return { now, revision: Number(revision ?? 0), value: value === null ? null : String(value) };
}
