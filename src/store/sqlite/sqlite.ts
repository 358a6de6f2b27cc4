/** The store of one process: SQLite in a directory, every write on disk before it is said to be done. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { makeDir } from '../../disk/make-dir.js';
import type { Avatar } from '../../domain/avatar.js';
import { EVERYONE, type Scope } from '../../domain/caller.js';
import { holdingsOf } from '../../domain/holdings.js';
import type { DayOfUse } from '../../domain/spend.js';
import { wholeDelay } from '../delay.js';
import { preferredFirst, SPARE } from '../preferred.js';
import { CorruptRecordError, decodeRecord, NewerRecordError } from '../record.js';
import {
  type Admission,
  type Admitted,
  type Begin,
  type Begun,
  type BegunSubmit,
  CallerLimitError,
  type CallTerms,
  type Change,
  type Claim,
  type Claimed,
  type Feed,
  type Found,
  type ListQuery,
  type Outlook,
  type Page,
  QueueFullError,
  type Save,
  type SaveResult,
  type Store,
  type Stored,
  type StoredDocument,
  type StoreHealth,
  StoreUnavailableError,
} from '../store.js';
import { Link } from './link.js';
import { Media } from './media.js';
import type { Answer } from './reads.js';
import { FOREVER } from './rows.js';
import { inline, rowOf } from './sent.js';
import type { Submission } from './submissions.js';
import type { Admitted as AdmitResult } from './submits.js';

/** The largest submission, in bytes, that lies in the database; larger ones are files. */
const MAX_INLINE = 100_000;

export interface SqliteStoreOptions {
  /** Made if it is not there, for this user only. */
  readonly dir: string;
  /** The store's clock, in ms since the epoch. */
  readonly now?: () => number;
}

/** @throws StoreLockedError when another process has the directory, StoreUnavailableError when it is unusable */
export async function openSqliteStore({ dir, now = Date.now }: SqliteStoreOptions): Promise<Store> {
  if (existsSync(join(dir, 'tasks', 'CURRENT'))) throw new StoreUnavailableError(earlier(dir));
  try {
    // Prompts and media lie here: for this user only, where the directory is ours to make.
    makeDir(dir);
  } catch (cause) {
    throw new StoreUnavailableError(`the data directory ${dir} cannot be opened`, { cause });
  }
  const { link, files, quarantined } = await Link.open(dir, now);
  const media = new Media(join(dir, 'media'));
  try {
    await media.sweep(files);
  } catch (error) {
    await link.close();
    throw error;
  }
  return new SqliteStore(link, media, quarantined);
}

function earlier(dir: string): string {
  const tasks = join(dir, 'tasks');
  return `${tasks} holds avatars of an earlier release, which this one cannot read: let that release finish them, then move ${tasks} away`;
}

class SqliteStore implements Store {
  readonly #link: Link;
  readonly #media: Media;
  /** Nobody else counts. */
  readonly count = null;
  readonly #listeners = new Set<(change: Change | null) => void>();
  #corrupt: number;

  constructor(link: Link, media: Media, corrupt: number) {
    this.#link = link;
    this.#media = media;
    this.#corrupt = corrupt;
    link.onWritten = ({ changes, files, quarantined }) => {
      this.#corrupt += quarantined;
      for (const change of changes) for (const listener of this.#listeners) listener(change);
      return files.length === 0 ? null : Promise.all(files.map((file) => media.remove(file)));
    };
  }

  async admit(avatar: Avatar, submission: readonly Buffer[], admission: Admission): Promise<Admitted> {
    const row = rowOf(avatar);
    const size = submission.reduce((sum, { length }) => sum + length, 0);
    if (size > MAX_INLINE) {
      // No file is written for what is known or refused.
      const found = await this.#link.call('check', row, size, admission);
      if (found !== null) return this.#admitted(avatar, found);
    }
    const bytes: Submission =
      size > MAX_INLINE ? await this.#media.write(submission) : inline(submission, size);
    let isNamed = false;
    try {
      const result = await this.#link.call('admit', row, bytes, admission);
      isNamed = result.kind === 'admitted' && result.answer.doc === null;
      return await this.#admitted(avatar, result);
    } finally {
      if ('file' in bytes && !isNamed) await this.#media.remove(bytes.file);
    }
  }

  async begin(begin: Begin, limit: number, large = limit): Promise<Begun> {
    const { begun, waitMs } = await this.#link.call('begin', begin, limit, large);
    const submits: BegunSubmit[] = [];
    for (const { submission, ...answer } of begun) {
      for (const stored of await this.#stored([answer])) {
        submits.push({ ...stored, submission: submission && bufferOf(submission) });
      }
    }
    return { begun: submits, waitMs };
  }

  async find(scope: Scope, id: string): Promise<Found | null> {
    const found = await this.#link.call('find', callerOf(scope), id);
    if (found === null) return null;
    if (found === 'quarantined') throw quarantined(id);
    const [stored] = await this.#stored([found]);
    if (stored === undefined) throw quarantined(id);
    return { ...stored, ahead: found.ahead };
  }

  async list(scope: Scope, query: ListQuery): Promise<Page> {
    const { found, next } = await this.#link.call('list', callerOf(scope), query);
    return { found: await this.#stored(found, ({ ahead }) => ({ ahead })), next };
  }

  async feed(scope: Scope, after: number | null, limit: number): Promise<Feed> {
    const { changed, ...ends } = await this.#link.call('feed', callerOf(scope), after, limit);
    return { changed: await this.#stored(changed, ({ at }) => ({ at })), ...ends };
  }

  async use(scope: Scope, from: string, to: string): Promise<DayOfUse[]> {
    return this.#link.call('use', callerOf(scope), from, to);
  }

  async callers(): Promise<string[]> {
    return this.#link.call('callers');
  }

  async submission(id: string): Promise<Buffer | null> {
    const found = await this.#link.call('submission', id);
    if (found === null) return null;
    return 'file' in found ? this.#media.read(found) : bufferOf(found.bytes);
  }

  async takeCall(keyId: string, calls: CallTerms): Promise<number> {
    return this.#link.call('takeCall', keyId, calls);
  }

  async claim({ preferred, ...claim }: Claim): Promise<Claimed> {
    const how = { ...claim, leaseMs: wholeDelay(claim.leaseMs) };
    // What is preferred is known here alone.
    const ids =
      preferred === undefined || preferred.size === 0
        ? null
        : preferredFirst(await this.#link.call('due', how, claim.limit + SPARE), (id) => preferred.has(id));
    const { claimed, waitMs } = await this.#link.call('claim', how, ids);
    return { claimed: await this.#stored(claimed), waitMs };
  }

  async save(avatar: Avatar, version: number, save: Save): Promise<SaveResult> {
    const slotForMs = avatar.keyId === null ? 0 : (save.slotForMs ?? (holdingsOf(avatar).slot ? FOREVER : 0));
    return this.#link.call('save', rowOf(avatar), version, {
      dueInMs: wholeDelay(save.dueInMs),
      slotForMs: slotForMs === FOREVER ? FOREVER : wholeDelay(slotForMs),
      drop: save.submission === 'drop',
      silent: save.silent ?? false,
    });
  }

  async remove(id: string, version: number): Promise<boolean> {
    return this.#link.call('remove', id, version);
  }

  async outlook(keyIds: readonly string[]): Promise<Outlook> {
    const { keys, ...outlook } = await this.#link.call('outlook', keyIds);
    return { ...outlook, keys: new Map(keys) };
  }

  async keyIds(): Promise<string[]> {
    return this.#link.call('keyIds');
  }

  async document(name: string): Promise<StoredDocument> {
    return this.#link.call('document', name);
  }

  async swap(
    name: string,
    revision: number,
    value: string,
  ): Promise<StoredDocument & { readonly swapped: boolean }> {
    return this.#link.call('swap', name, revision, value);
  }

  onChange(listener: (change: Change | null) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async ping(): Promise<void> {
    await this.#link.call('ping');
  }

  health(): StoreHealth {
    return { corruptRecords: this.#corrupt };
  }

  async close(): Promise<void> {
    await this.#link.close();
  }

  async #admitted(avatar: Avatar, result: AdmitResult): Promise<Admitted> {
    if (result.kind === 'refused') {
      const { limit } = result;
      throw limit === 'avatars' || limit === 'bytes'
        ? new QueueFullError(limit)
        : new CallerLimitError(limit);
    }
    if (result.kind === 'quarantined') throw quarantined(avatar.id);
    const { answer } = result;
    const [stored] =
      answer.doc === null
        ? [{ avatar: { ...avatar, ...progressOf(answer) }, version: answer.version, now: answer.now }]
        : await this.#stored([{ ...answer, doc: answer.doc }]);
    if (stored === undefined) throw quarantined(avatar.id);
    if (result.kind === 'known') return Object.assign(stored, { outcome: 'known' } as const);
    const outcome = result.begun ? 'begun' : 'queued';
    return Object.assign(stored, { outcome, spent: result.spent } as const);
  }

  /** Decoded; what is no record though its row is whole is quarantined. @throws StoreUnavailableError where it is a newer release's */
  async #stored<A extends Answer, More extends object>(
    answers: readonly A[],
    more: (answer: A) => More = () => ({}) as More,
  ): Promise<(Stored & More)[]> {
    const found: (Stored & More)[] = [];
    for (const answer of answers) {
      try {
        const avatar = decodeRecord(answer.id, answer.doc, progressOf(answer));
        found.push({ avatar, version: answer.version, now: answer.now, ...more(answer) });
      } catch (error) {
        if (error instanceof NewerRecordError)
          throw new StoreUnavailableError(error.message, { cause: error });
        if (!(error instanceof CorruptRecordError)) throw error;
        await this.#link.call('quarantine', answer.id);
      }
    }
    return found;
  }
}

const callerOf = (scope: Scope): string | null => (scope === EVERYONE ? null : scope);
const bufferOf = ({ buffer, byteOffset, length }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, length);
const progressOf = ({ status, keyId, attempt, intent }: Omit<Answer, 'doc'>) => ({
  status,
  keyId,
  attempt,
  intent,
});
const quarantined = (id: string) => new CorruptRecordError(`the record of ${id} is damaged`);
