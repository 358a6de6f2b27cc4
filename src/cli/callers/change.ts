/** Commands that change who may call. A key is shown once, alone on stdout, and after its hash is written. */

import { randomBytes } from 'node:crypto';
import { type CallerMembers, MemberError } from '../../callers/form.js';
import { hashOf, newKey } from '../../callers/key.js';
import { listedCaller } from '../../callers/listed.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { UsageError } from '../failure.js';
import type { Io } from '../io.js';
import { callerNamed, edit, type FileOptions, note } from './file.js';

export interface AddOptions extends FileOptions {
  readonly mode?: ('std' | 'pro')[];
  readonly requestsPerMinute?: number;
  readonly unfinishedAvatars?: number;
  readonly queueShare?: number;
  readonly usdPerDay?: number;
  readonly usdPerMonth?: number;
  readonly callbackHost?: string[];
  readonly withWebhookSecret?: boolean;
  readonly admin?: boolean;
  readonly expiresAt?: string;
  readonly expiresInDays?: number;
}

const DAY_MS = 86_400_000;

/** The option of a member, where the two have other names. */
const OPTIONS: Readonly<Record<string, string>> = {
  name: 'NAME',
  modes: '--mode',
  callback_hosts: '--callback-host',
};

export async function add(io: Io, name: string, options: AddOptions): Promise<ExitCode> {
  const key = newKey();
  const members = membersOf(name, hashOf(key).toString('hex'), options);
  check(members);
  await edit(
    io,
    options,
    (draft) => {
      if (draft.callers.some(({ caller }) => caller.name === name)) {
        throw new UsageError(`there is a caller ${name} already`);
      }
      draft.add(members);
    },
    { isMade: true },
  );
  const secret = options.withWebhookSecret ? '; its webhook secret is in the file' : '';
  note(io, `added ${name}${secret}; its key is shown this once:`);
  io.stdout.write(`${key}\n`);
  return EXIT.ok;
}

function membersOf(name: string, hash: string, options: AddOptions): CallerMembers {
  const { expiresInDays: days } = options;
  const expires_at =
    days === undefined ? options.expiresAt : new Date(Date.now() + days * DAY_MS).toISOString();
  const members = {
    name,
    key_sha256: hash,
    modes: options.mode,
    requests_per_minute: options.requestsPerMinute,
    unfinished_avatars: options.unfinishedAvatars,
    queue_share: options.queueShare,
    usd_per_day: options.usdPerDay,
    usd_per_month: options.usdPerMonth,
    webhook_secrets: options.withWebhookSecret ? [`whsec_${randomBytes(32).toString('base64')}`] : undefined,
    callback_hosts: options.callbackHost,
    admin: options.admin,
    expires_at,
  };
  const given = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as CallerMembers;
}

/** @throws {UsageError} that names the option */
function check(members: CallerMembers): void {
  try {
    listedCaller(members);
  } catch (error) {
    if (!(error instanceof MemberError)) throw error;
    const member = String(error.path[0]);
    throw new UsageError(`${OPTIONS[member] ?? `--${member.replaceAll('_', '-')}`} ${error.message}`);
  }
}

export async function rotate(
  io: Io,
  name: string,
  options: FileOptions & { readonly finish?: boolean },
): Promise<ExitCode> {
  const key = newKey();
  await edit(io, options, (draft) => {
    const { keyHashes } = callerNamed(draft.callers, name);
    if (options.finish && keyHashes.length < 2)
      throw new UsageError(`${name} has one key alone: nothing to finish`);
    if (!options.finish && keyHashes.length > 1) {
      throw new UsageError(`${name} has two keys already: --finish drops the older one`);
    }
    draft.setKeys(name, options.finish ? keyHashes.slice(1) : [...keyHashes, hashOf(key)]);
  });
  if (options.finish) {
    note(io, `the older key of ${name} is none any more`);
    return EXIT.ok;
  }
  note(io, `${name} has two keys until rotate ${name} --finish; the new one is shown this once:`);
  io.stdout.write(`${key}\n`);
  return EXIT.ok;
}

export async function remove(io: Io, name: string, options: FileOptions): Promise<ExitCode> {
  await edit(io, options, (draft) => {
    callerNamed(draft.callers, name);
    draft.remove(name);
  });
  note(io, `removed ${name}`);
  return EXIT.ok;
}
