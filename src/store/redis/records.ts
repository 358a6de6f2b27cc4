import type { Avatar } from '../../domain/avatar.js';
import { EVERYONE, isWithin, type Scope } from '../../domain/caller.js';
import { callerDigest } from '../digests.js';
import { CorruptRecordError, decodeRecord, NewerRecordError, SCHEMA } from '../record.js';
import type { Found, Stored } from '../store.js';
import type { Connection } from './connection.js';
import type { Keys } from './keys.js';
import { unpack } from './packed.js';

/** A record as the scripts return it: the store's clock, and `null` for what is missing. */
type Row = readonly [
  now: number,
  version: Buffer | null,
  doc: Buffer | null,
  lane: Buffer | null,
  ahead?: number | null,
];

/** What was found under an id; an error where it cannot be used. */
export type FoundRecord = Found | CorruptRecordError | NewerRecordError;

/** The records, one by one. What is found to be none is moved out of the way. */
export class Records {
  readonly #redis: Connection;
  readonly #keys: Keys;
  #corrupt = 0;

  constructor(redis: Connection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** How many were set aside here. */
  get corrupt(): number {
    return this.#corrupt;
  }

  /** What cannot be read, and does not say whose it is, is found within every scope. @throws StoreUnavailableError */
  async find(scope: Scope, id: string): Promise<FoundRecord | null> {
    const keys = [this.#keys.record(id), this.#keys.aside(id), this.#keys.queue];
    const row = await this.#redis.run('find', keys, id, scope === EVERYONE ? '' : callerDigest(scope));
    const found = row === null ? null : await this.#read(id, row as Row);
    return found === null || found instanceof Error || isWithin(scope, found.avatar.caller) ? found : null;
  }

  /**
   * What an id in a list or feed of a caller leads to; `null` where there is nothing to show. One that leads nowhere is
   * taken out.
   * @param names what the avatar may be called there
   * @throws StoreUnavailableError
   */
  async listed(caller: string, id: string, list: string, names: readonly string[]): Promise<Found | null> {
    const found = await this.find(caller, id);
    if (found === null || found instanceof CorruptRecordError) {
      // Where it cannot be taken out it is passed over again.
      await this.#redis.run('unlist', [this.#keys.record(id), list], ...names).catch(() => {});
    }
    return found === null || found instanceof Error ? null : found;
  }

  /** Takes an avatar that is still due; `null` where there is none to take. @throws StoreUnavailableError */
  async claim(id: string, due: string, leaseMs: number): Promise<Stored | null> {
    const row = await this.#redis.write('claim', [this.#keys.record(id), due], id, leaseMs, SCHEMA);
    if (row === null) return null;
    const found = await this.#read(id, row as Row);
    return found instanceof Error ? null : found;
  }

  /** Moves what is no record out of the way, and frees what it held. @throws StoreUnavailableError */
  async setAside(id: string, version: Buffer | null = null, lane: Buffer | null = null): Promise<void> {
    const { due, queue, bytes, lanes } = this.#keys;
    const known = await this.#redis.use((client) => client.smembers(lanes));
    const mayBeIn = new Set(lane === null ? known : [...known, String(lane)]);
    const keys = [
      ...[this.#keys.record(id), due, this.#keys.aside(id), queue, bytes, this.#keys.submission(id)],
      ...[...mayBeIn].flatMap((each) => this.#keys.ofLane(each)),
    ];
    if ((await this.#redis.write('set-aside', keys, id, version ?? '')) === 1) this.#corrupt += 1;
  }

  async #read(id: string, [now, version, doc, lane, ahead = null]: Row): Promise<FoundRecord> {
    try {
      return { avatar: avatarIn(id, version, doc), version: Number(version), now, ahead };
    } catch (error) {
      if (error instanceof NewerRecordError) return error;
      if (!(error instanceof CorruptRecordError)) throw error;
      await this.setAside(id, version, lane);
      return error;
    }
  }
}

function avatarIn(id: string, version: Buffer | null, doc: Buffer | null): Avatar {
  if (doc === null || version === null || !/^\d+$/.test(String(version))) {
    throw new CorruptRecordError(`half of the record of ${id} is missing`);
  }
  return decodeRecord(id, unpack(doc));
}
