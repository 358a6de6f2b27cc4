import type { Mode } from '../domain/avatar.js';
import { readSecret } from '../domain/callbacks/webhook-secret.js';
import { ANONYMOUS, type Caller } from '../domain/caller.js';
import { UNITS_A_DOLLAR } from '../domain/spend.js';
import { brokenRule, type CallerMembers, checkForm, MemberError, type MemberName } from './form.js';

/** A caller, and how it is known. */
export interface ListedCaller {
  readonly caller: Caller;
  /** SHA-256 of one key, or of two while one takes over: the newer one is the last. */
  readonly keyHashes: readonly Buffer[];
  /** In ms since the epoch; `null`: never. */
  readonly expiresAt: number | null;
}

/**
 * A caller as a file has it, checked and with all that it leaves out.
 * @throws {MemberError}
 */
export function listedCaller(value: unknown): ListedCaller {
  checkForm(value);
  if (value.name === ANONYMOUS.name) {
    throw new MemberError(['name'], 'must be another one: those without a key have that name');
  }
  return Object.freeze({
    caller: callerOf(value),
    keyHashes: hashesOf(value.key_sha256),
    expiresAt: value.expires_at === undefined ? null : timeOf(value.expires_at),
  });
}

function callerOf(members: CallerMembers): Caller {
  const { name, modes = ['std', 'pro'], admin = false, queue_share = 1, callback_hosts } = members;
  return Object.freeze({
    name,
    admin,
    modes: new Set<Mode>(modes),
    requestsPerMinute: members.requests_per_minute ?? null,
    maxUnfinished: members.unfinished_avatars ?? null,
    queueShare: queue_share,
    caps: Object.freeze({
      day: unitsOf('usd_per_day', members.usd_per_day),
      month: unitsOf('usd_per_month', members.usd_per_month),
    }),
    webhookSecrets: Object.freeze(secretsOf(members.webhook_secrets)),
    callbackHosts: callback_hosts === undefined ? null : Object.freeze(callback_hosts.map(hostOf)),
  });
}

function hashesOf(hashes: string | readonly string[]): readonly Buffer[] {
  const each = (typeof hashes === 'string' ? [hashes] : hashes).map((hash) => Buffer.from(hash, 'hex'));
  const [first, second] = each;
  if (second !== undefined && first?.equals(second))
    throw new MemberError(['key_sha256'], 'has the same twice');
  return Object.freeze(each);
}

/** Six decimals are rarely exact in binary: whole units are, and are near. */
function unitsOf(member: MemberName, usd: number | undefined): number | null {
  if (usd === undefined) return null;
  const units = Math.round(usd * UNITS_A_DOLLAR);
  if (Math.abs(units - usd * UNITS_A_DOLLAR) > 0.001) throw brokenRule(member);
  return units;
}

function secretsOf(secrets: readonly string[] = []): readonly string[] {
  for (const [at, secret] of secrets.entries()) {
    try {
      readSecret(secret);
    } catch {
      throw brokenRule('webhook_secrets', at);
    }
  }
  return secrets;
}

/** A host is compared with that of a URL, so it is taken only as one has it: `127.1` is none, nor is `bücher.de`. */
function hostOf(text: string, at: number): string {
  const host = text.toLowerCase();
  const bare = host.replace(/^\*\./, '');
  const isPlain = /^([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/.test(bare);
  const url = `http://${bare}`;
  if (!isPlain || !URL.canParse(url) || new URL(url).hostname !== bare)
    throw brokenRule('callback_hosts', at);
  return host;
}

/** RFC 3339, of which JavaScript takes days that are not in the calendar. */
function timeOf(text: string): number {
  const ms = Date.parse(text);
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split('-').map(Number);
  const isDay = new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day;
  if (Number.isNaN(ms) || !isDay) throw brokenRule('expires_at');
  return ms;
}
