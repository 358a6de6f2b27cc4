import { WebhookVerificationError } from './errors.js';
import type { Avatar } from './schema.js';
import type { AvatarStatus } from './types.js';

const TOLERANCE_SECONDS = 300;

type FinalStatus = Exclude<AvatarStatus, 'queued' | 'submitting' | 'pending' | 'processing'>;

export interface WebhookEvent {
  /** The same each time this end is told: keep it for a day, and ignore what comes again. */
  readonly id: string;
  readonly type: `avatar.${FinalStatus}`;
  readonly timestamp: string;
  /** Where the message would have been too long, `metadata`, and if need be `prompt`, is `null`; `get` has it all. */
  readonly truncated: boolean;
  readonly data: Omit<Avatar, 'metadata'> & { readonly metadata: Avatar['metadata'] | null };
}

export interface WebhookOptions {
  /** As it came, byte for byte: not parsed and written anew. */
  readonly body: string | Uint8Array;
  readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>;
  /** `whsec_...`; several while it is changed. */
  readonly secrets: string | readonly string[];
  /** How far the clocks may be apart, 300 unless set. */
  readonly toleranceSeconds?: number | undefined;
  readonly now?: Date | undefined;
}

/**
 * What a callback says, once it is sure that it comes from a gateway that knows the secret, and just now (Standard
 * Webhooks 1.0).
 * @throws {WebhookVerificationError} for what is not to be believed
 * @throws {TypeError} for secrets that are none; it does not show them
 */
export async function verifyWebhook(webhook: WebhookOptions): Promise<WebhookEvent> {
  const { toleranceSeconds = TOLERANCE_SECONDS, now = new Date() } = webhook;
  const keys = [webhook.secrets].flat().map(keyIn);
  if (keys.length === 0) throw new TypeError('There is no secret to verify with');
  const body = typeof webhook.body === 'string' ? encode(webhook.body) : webhook.body;
  const id = header(webhook.headers, 'webhook-id');
  const timestamp = header(webhook.headers, 'webhook-timestamp');
  const signatures = signaturesIn(header(webhook.headers, 'webhook-signature'));

  if (!/^\d{1,15}$/.test(timestamp)) {
    throw new WebhookVerificationError('bad-headers', 'webhook-timestamp is not a number of seconds');
  }
  const lateSeconds = now.getTime() / 1000 - Number(timestamp);
  if (lateSeconds > toleranceSeconds)
    throw new WebhookVerificationError('too-old', 'It was sent too long ago');
  if (lateSeconds < -toleranceSeconds) throw new WebhookVerificationError('too-new', 'It is from the future');

  const head = encode(`${id}.${timestamp}.`);
  const signed = new Uint8Array(head.length + body.length);
  signed.set(head);
  signed.set(body, head.length);
  if (!(await isSigned(signed, keys, signatures))) {
    throw new WebhookVerificationError('wrong-signature', 'It is not signed with the secret');
  }
  return eventOf(id, body);
}

const encode = (text: string) => new TextEncoder().encode(text);

/** One secret that signed is enough. `verify` compares in constant time. */
async function isSigned(
  signed: Uint8Array<ArrayBuffer>,
  keys: readonly Uint8Array<ArrayBuffer>[],
  signatures: readonly Uint8Array<ArrayBuffer>[],
): Promise<boolean> {
  for (const bytes of keys) {
    const algorithm = { name: 'HMAC', hash: 'SHA-256' };
    const key = await crypto.subtle.importKey('raw', bytes, algorithm, false, ['verify']);
    for (const signature of signatures) {
      if (await crypto.subtle.verify('HMAC', key, signature, signed)) return true;
    }
  }
  return false;
}

function keyIn(secret: string): Uint8Array<ArrayBuffer> {
  const bytes = bytesIn(secret.replace(/^whsec_/, ''));
  if (bytes === null || bytes.length === 0) throw new TypeError('A secret is not whsec_ and base64');
  return bytes;
}

/** Those of version 1; others may stand beside them. */
function signaturesIn(text: string): Uint8Array<ArrayBuffer>[] {
  return text.split(' ').flatMap((each) => (each.startsWith('v1,') ? (bytesIn(each.slice(3)) ?? []) : []));
}

function bytesIn(base64: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

/** Node has them in lower case, others as they came; one that came twice is none. */
function header(headers: WebhookOptions['headers'], name: string): string {
  const found =
    headers instanceof Headers
      ? headers.get(name)
      : Object.entries(headers).find(([each]) => each.toLowerCase() === name)?.[1];
  const text = [found ?? []].flat();
  if (text.length === 1 && text[0]) return text[0];
  throw new WebhookVerificationError('bad-headers', `${name} is missing`);
}

function eventOf(id: string, body: Uint8Array): WebhookEvent {
  try {
    const message = JSON.parse(new TextDecoder().decode(body)) as Omit<WebhookEvent, 'id'>;
    return { id, ...message, truncated: message.truncated === true };
  } catch {
    throw new WebhookVerificationError('not-json', 'It is signed, but not JSON');
  }
}
