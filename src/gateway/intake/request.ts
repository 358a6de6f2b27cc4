import type { Mode } from '../../domain/avatar.js';
import type { Caller } from '../../domain/caller.js';
import type { GivenMedia } from '../../domain/media/media.js';
import type { MemoryLease } from './memory.js';

/** Speech as the caller gave it. */
export type Speech = { readonly audioId: string } | { readonly soundFile: GivenMedia };

/** What is looked at before anything is spent. */
export interface MediaRequest {
  readonly image: GivenMedia;
  readonly speech: Speech;
  readonly mode: Mode;
  /** Of the media. */
  readonly memory: MemoryLease;
}

/** What a caller asks for, validated but for its media. */
export interface AvatarRequest extends MediaRequest {
  readonly caller: Caller;
  readonly idempotencyKey: string | null;
  readonly prompt: string | null;
  readonly externalId: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly traceparent: string | null;
  /** How long the avatar may wait for its submit, in ms; `null`: as long as the queue lets it. */
  readonly startWithinMs: number | null;
  /** Whom to tell of the end. */
  readonly callbackUrl: string | null;
  /** Where it is told as Modellix would tell it: what URLs in that begin with, without a slash at the end. */
  readonly callbackTaskBase?: string;
  /** How long its caller waits for the submit to settle, in ms; unset: as long as the setting says. 0: it does not wait. */
  readonly graceMs?: number;
}

/** What is looked at where nothing is to be made. */
export type CheckRequest = MediaRequest & Pick<AvatarRequest, 'caller' | 'callbackUrl'>;
