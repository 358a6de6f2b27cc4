/**
 * The store of any number of processes: one Redis, whose clock is the store's clock.
 *
 * All keys share one hash tag, and every key a script touches is passed to it, so that a Redis Cluster takes them.
 * That is why a claim is two steps, the due ids and then a script for each: which records it will touch is only known
 * once the ids are read. Another worker may take an id in between; the second step looks again.
 */

import type { Avatar } from '../../domain/avatar.js';
import { wholeDelay } from '../delay.js';
import { keyDigest } from '../idempotency.js';
import { CorruptRecordError, decodeRecord, encodeRecord, NewerRecordError, SCHEMA } from '../record.js';
import {
  AvatarExistsError,
  type Save,
  type SaveResult,
  type Store,
  type Stored,
  type StoreHealth,
  StoreUnavailableError,
} from '../store.js';
import { Connection, type ConnectionOptions } from './connection.js';
import { LostWrites } from './lost-writes.js';
import { type Hazard, hazardsOf, markOf } from './safety.js';

export interface RedisStoreOptions extends Omit<ConnectionOptions, 'prepare' | 'onEvent'> {
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
  let mark: string | null = null;
  const connection = new Connection({
    ...rest,
    onEvent: (kind, error) => onEvent(kind === 'lost' ? { kind, error } : { kind }),
    async prepare(client) {
      const hazards = await hazardsOf(client);
      if (hazards.length > 0) {
        onEvent({ kind: 'hazards', hazards });
        if (durability === 'strict')
          throw new StoreUnavailableError(`Redis is not safe: ${hazards.join('; ')}`);
      }
      const seen = await markOf(client, `{${keyPrefix}}:mark`, mark);
      mark = seen.mark;
      if (seen.found === 'emptied') onEvent({ kind: 'emptied' });
    },
  });
  return new RedisStore(connection, keyPrefix);
}

/** A record as the scripts return it: the store's clock, `v` and `doc`, `null` where they are missing. */
type Row = readonly [now: number, version: Buffer | null, doc: Buffer | null];

class RedisStore implements Store {
  readonly #redis: Connection;
  readonly #prefix: string;
  readonly #due: string;
  readonly #lost = new LostWrites();
  #corrupt = 0;

  constructor(redis: Connection, prefix: string) {
    this.#redis = redis;
    this.#prefix = `{${prefix}}`;
    this.#due = `${this.#prefix}:due`;
  }

  async create(avatar: Avatar, submission: Buffer, leaseMs: number, last = false): Promise<Stored> {
    const { id } = avatar;
    const doc = encodeRecord(avatar);
    const { caller, idempotency } = avatar;
    const digest = idempotency && keyDigest(caller, idempotency.key);
    const keys = [this.#record(id), this.#submission(id), this.#due, this.#aside(id), ...this.#key(digest)];
    const args = [id, doc, submission, wholeDelay(leaseMs)];
    const made = await this.#lost.send([id, 0, doc], (token) =>
      this.#redis.write('create', keys, ...args, token, digest ?? ''),
    );
    if (made === null) throw new AvatarExistsError(id);
    if (!Buffer.isBuffer(made)) return { avatar, version: 1, now: Number(made) };
    const owner = await this.find(caller, String(made));
    if (owner !== null) return owner;
    // Forgotten just now, and the key is free; or its record was lost, and the key is not.
    if (last) throw new CorruptRecordError('an idempotency key leads to no record');
    return this.create(avatar, submission, leaseMs, true);
  }

  async find(caller: string, id: string): Promise<Stored | null> {
    const row = await this.#redis.run('find', [this.#record(id), this.#aside(id)]);
    if (row === null) return null;
    const found = await this.#read(id, row as Row);
    if (found instanceof NewerRecordError) throw new StoreUnavailableError(found.message, { cause: found });
    if (found instanceof CorruptRecordError) throw found;
    return found.avatar.caller === caller ? found : null;
  }

  async submission(id: string): Promise<Buffer | null> {
    return this.#redis.use((client) => client.getBuffer(this.#submission(id)));
  }

  async claim(limit: number, leaseMs: number): Promise<Stored[]> {
    const ids = (await this.#redis.run('due', [this.#due], limit)) as Buffer[];
    const claims = await Promise.allSettled(ids.map((id) => this.#claim(String(id), wholeDelay(leaseMs))));
    const claimed = claims.flatMap((claim) => (claim.status === 'fulfilled' ? (claim.value ?? []) : []));
    const refused = claims.find((claim) => claim.status === 'rejected');
    // What was taken before the connection went is worth having; the rest is due again when its lease ends.
    if (refused !== undefined && claimed.length === 0) throw refused.reason;
    return claimed;
  }

  async save(avatar: Avatar, version: number, { dueInMs, submission }: Save): Promise<SaveResult> {
    const { id, taskId } = avatar;
    const doc = encodeRecord(avatar);
    const keys = [this.#record(id), this.#submission(id), this.#due, ...this.#task(taskId)];
    const args = [id, version, doc, wholeDelay(dueInMs), submission, taskId ?? ''];
    const result = await this.#lost.send([id, version, doc], (token) =>
      this.#redis.write('save', keys, ...args, token),
    );
    switch (String(result)) {
      case 'saved':
        return { saved: true, version: version + 1 };
      case 'task-taken':
        return { saved: false, reason: 'task-taken' };
      default:
        return { saved: false, reason: 'stale' };
    }
  }

  async remove(id: string, version: number): Promise<boolean> {
    const leads = await this.#redis.use((client) => client.hmget(this.#record(id), 'task', 'key'));
    const [taskId = null, digest = null] = leads;
    const keys = [
      this.#record(id),
      this.#submission(id),
      this.#due,
      ...this.#task(taskId),
      ...this.#key(digest),
    ];
    return (await this.#redis.write('remove', keys, id, version, taskId ?? '', digest ?? '')) === 1;
  }

  async nextDueInMs(): Promise<number | null> {
    const ms = await this.#redis.run('next-due', [this.#due]);
    return ms === null ? null : Number(ms);
  }

  async ping(): Promise<void> {
    // A write: a replica and a full Redis answer a PING, too.
    await this.#redis.use((client) => client.set(`${this.#prefix}:ping`, '', 'PX', 60_000));
  }

  health(): StoreHealth {
    return { corruptRecords: this.#corrupt };
  }

  close(): Promise<void> {
    return this.#redis.close();
  }

  async #claim(id: string, leaseMs: number): Promise<Stored | null> {
    const row = await this.#redis.write('claim', [this.#record(id), this.#due], id, leaseMs, SCHEMA);
    if (row === null) return null;
    const found = await this.#read(id, row as Row);
    return found instanceof Error ? null : found;
  }

  /** The avatar in a row, or why there is none; what is corrupt is set aside. */
  async #read(id: string, [now, version, doc]: Row): Promise<Stored | CorruptRecordError | NewerRecordError> {
    try {
      if (doc === null || version === null || !/^\d+$/.test(String(version))) {
        throw new CorruptRecordError(`half of the record of ${id} is missing`);
      }
      return { avatar: decodeRecord(id, doc), version: Number(version), now };
    } catch (error) {
      if (error instanceof NewerRecordError) return error;
      if (!(error instanceof CorruptRecordError)) throw error;
      const keys = [this.#record(id), this.#due, this.#aside(id)];
      if ((await this.#redis.run('set-aside', keys, id, version ?? '')) === 1) this.#corrupt += 1;
      return error;
    }
  }

  #record(id: string): string {
    return `${this.#prefix}:avatar:${id}`;
  }

  #submission(id: string): string {
    return `${this.#prefix}:submission:${id}`;
  }

  #aside(id: string): string {
    return `${this.#prefix}:corrupt:${id}`;
  }

  #key(digest: string | null): string[] {
    return digest === null ? [] : [`${this.#prefix}:key:${digest}`];
  }

  #task(taskId: string | null): string[] {
    return taskId === null ? [] : [`${this.#prefix}:task:${taskId}`];
  }
}
