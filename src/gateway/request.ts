import type { Mode } from '../domain/avatar.js';
import type { Speech } from './inspect.js';

/** What a caller asks for, validated but for its media. `image` is a URL or base64, in ASCII bytes. */
export interface AvatarRequest {
  readonly caller: string;
  readonly idempotencyKey: string | null;
  readonly image: Buffer;
  readonly speech: Speech;
  readonly prompt: string | null;
  readonly mode: Mode;
  readonly externalId: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly traceparent: string | null;
}
