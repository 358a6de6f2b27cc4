import type { Avatar } from '../../domain/avatar.js';
import { holdingsOf } from '../../domain/holdings.js';
import { spendStateOf } from '../../domain/spend.js';
import { keyDigest } from '../idempotency.js';
import { documentOf } from '../record.js';
import type { SentRow } from './rows.js';

/** What goes to the thread of the store for an avatar. The thread itself does not load what writes a document: that takes longer than all of it. */
export function rowOf(avatar: Avatar): SentRow {
  const { id, caller, status, step, mode, keyId, attempt, intent, idempotency, spend } = avatar;
  const state = spendStateOf(avatar);
  const cost =
    state === 'released' ? null : ((state === 'settled' ? spend?.settled : null) ?? spend?.reserved);
  return {
    id,
    caller,
    status,
    step,
    mode,
    key_id: keyId,
    attempt,
    intent,
    due_key: holdingsOf(avatar).dueIndex,
    created: avatar.createdAt,
    external_id: avatar.externalId?.toWellFormed() ?? null,
    task_id: avatar.taskId?.toWellFormed() ?? null,
    idempotency: idempotency && keyDigest(caller, idempotency.key),
    cost_ms: cost?.durationMs ?? null,
    cost_units: cost?.units ?? null,
    cost_billed: (cost && spend?.billed) ?? null,
    doc: documentOf(avatar),
  };
}
