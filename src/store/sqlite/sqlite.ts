/** The store of one process: SQLite in a directory, every write on disk before it is said to be done. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { makeDir } from '../../disk/make-dir.js';
import { EVERYONE, type Scope } from '../../domain/caller.js';
import { preferredFirst, SPARE } from '../preferred.js';
import { CorruptRecordError, decodeRecord, NewerRecordError } from '../record.js';
import {
  type Admitted,
  CallerLimitError,
  type Change,
  QueueFullError,
  type Store,
  StoreUnavailableError,
} from '../store.js';
import { Link } from './link.js';
import { Media } from './media.js';
import type { Answer } from './reads.js';
import { rowOf } from './sent.js';
import { inline, type Submission } from './submissions.js';
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
  return storeOn(link, media, quarantined);
}

function earlier(dir: string): string {
  const tasks = join(dir, 'tasks');
  return `${tasks} holds avatars of an earlier release, which this one cannot read: let that release finish them, then move ${tasks} away`;
}

function storeOn(link: Link, media: Media, corrupt: number): Store {
  const listeners = new Set<(change: Change | null) => void>();
  let corruptRecords = corrupt;
  link.onWritten = ({ changes, files, quarantined }) => {
    corruptRecords += quarantined;
    for (const change of changes) for (const listener of listeners) listener(change);
    return files.length === 0 ? null : Promise.all(files.map((file) => media.remove(file)));
  };

  /**
   * With the avatars in place of their documents. What is no record though its row is whole is quarantined.
   * @throws StoreUnavailableError where a newer release wrote it
   */
  async function decoded<A extends Answer>(answers: readonly A[]) {
    const found = [];
    for (const { id, doc, progress, ...rest } of answers) {
      try {
        found.push({ ...rest, avatar: decodeRecord(id, doc, progress) });
      } catch (error) {
        if (error instanceof NewerRecordError)
          throw new StoreUnavailableError(error.message, { cause: error });
        if (!(error instanceof CorruptRecordError)) throw error;
        await link.call('quarantine', id);
      }
    }
    return found;
  }

  async function one<A extends Answer>(answer: A) {
    const [found] = await decoded([answer]);
    if (found === undefined) throw damaged(answer.id);
    return found;
  }

  return {
    async admit(avatar, submission, admission) {
      const row = rowOf(avatar);
      const size = submission.reduce((sum, { length }) => sum + length, 0);
      const admitted = async (result: AdmitResult): Promise<Admitted> => {
        if (result.kind === 'refused') throw refusal(result.limit);
        if (result.kind === 'quarantined') throw damaged(avatar.id);
        if (result.kind === 'known') return { ...(await one(result.answer)), outcome: 'known' };
        const { answer, begun, spent } = result;
        const { doc, progress, version, now } = answer;
        const stored =
          doc === null ? { avatar: { ...avatar, ...progress }, version, now } : await one({ ...answer, doc });
        return { ...stored, outcome: begun ? 'begun' : 'queued', spent };
      };
      if (size > MAX_INLINE) {
        // No file is written for what is known or refused.
        const found = await link.call('check', row, size, admission);
        if (found !== null) return admitted(found);
      }
      const bytes: Submission = size > MAX_INLINE ? await media.write(submission) : inline(submission, size);
      let isNamed = false;
      try {
        const result = await link.call('admit', row, bytes, admission);
        isNamed = result.kind === 'admitted' && result.answer.doc === null;
        return await admitted(result);
      } finally {
        if ('file' in bytes && !isNamed) await media.remove(bytes.file);
      }
    },
    async begin(begin, limit, large = limit) {
      const { begun, waitMs } = await link.call('begin', begin, limit, large);
      const found = await decoded(begun);
      return {
        begun: found.map((each) => ({ ...each, submission: each.submission && bufferOf(each.submission) })),
        waitMs,
      };
    },
    async find(scope, id) {
      const found = await link.call('find', callerOf(scope), id);
      if (found === 'quarantined') throw damaged(id);
      return found && one(found);
    },
    async list(scope, query) {
      const { found, next } = await link.call('list', callerOf(scope), query);
      return { found: await decoded(found), next };
    },
    async feed(scope, after, limit) {
      const { changed, ...ends } = await link.call('feed', callerOf(scope), after, limit);
      return { changed: await decoded(changed), ...ends };
    },
    use: (scope, from, to) => link.call('use', callerOf(scope), from, to),
    callers: () => link.call('callers'),
    async submission(id) {
      const found = await link.call('submission', id);
      if (found === null) return null;
      return 'file' in found ? media.read(found) : bufferOf(found.bytes);
    },
    takeCall: (keyId, calls) => link.call('takeCall', keyId, calls),
    async claim({ preferred, ...claim }) {
      // What is preferred is known here alone.
      const ids =
        preferred !== undefined && preferred.size > 0
          ? preferredFirst(await link.call('due', claim, claim.limit + SPARE), (id) => preferred.has(id))
          : null;
      const { claimed, waitMs } = await link.call('claim', claim, ids);
      return { claimed: await decoded(claimed), waitMs };
    },
    save: (avatar, version, save) => link.call('save', rowOf(avatar), version, save),
    remove: (id, version) => link.call('remove', id, version),
    outlook: (keyIds) => link.call('outlook', keyIds),
    keyIds: () => link.call('keyIds'),
    document: (name) => link.call('document', name),
    swap: (name, revision, value) => link.call('swap', name, revision, value),
    /** Nobody else counts. */
    count: null,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ping: () => link.call('ping'),
    health: () => ({ corruptRecords }),
    close: () => link.close(),
  };
}

const callerOf = (scope: Scope): string | null => (scope === EVERYONE ? null : scope);
const bufferOf = ({ buffer, byteOffset, length }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, length);
const damaged = (id: string) => new CorruptRecordError(`the record of ${id} is damaged`);

function refusal(limit: 'avatars' | 'bytes' | 'unfinished' | 'day' | 'month'): Error {
  return limit === 'avatars' || limit === 'bytes' ? new QueueFullError(limit) : new CallerLimitError(limit);
}
