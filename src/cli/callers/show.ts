/** Commands that look at who may call. */

import type { ListedCaller } from '../../callers/listed.js';
import { UNITS_A_DOLLAR } from '../../domain/spend.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { aligned, jsonLine, moment } from '../text.js';
import { callersIn, type FileOptions, note } from './file.js';

const HEADINGS = [
  'NAME',
  'KEYS',
  'ADMIN',
  'MODES',
  'A MINUTE',
  'UNFINISHED',
  'SHARE',
  'USD A DAY',
  'USD A MONTH',
  'EXPIRES',
];

export async function list(io: Io, options: FileOptions & { readonly json?: boolean }): Promise<ExitCode> {
  const views = (await callersIn(io, options)).map(viewOf);
  if (options.json) {
    for (const view of views) io.stdout.write(jsonLine(view));
  } else if (views.length === 0) {
    note(io, 'There are none');
  } else {
    const columns = io.stdout.isTTY ? (io.stdout.columns ?? null) : null;
    io.stdout.write(aligned([HEADINGS, ...views.map(cells)], columns));
  }
  return EXIT.ok;
}

export async function check(io: Io, options: FileOptions): Promise<ExitCode> {
  const callers = await callersIn(io, options);
  const expired = callers.filter(({ expiresAt }) => expiresAt !== null && expiresAt <= Date.now()).length;
  const noun = callers.length === 1 ? 'caller' : 'callers';
  io.stdout.write(`${callers.length} ${noun}, ${expired} expired\n`);
  return EXIT.ok;
}

/** All but what is secret. */
function viewOf({ caller, keyHashes, expiresAt }: ListedCaller) {
  const usd = (units: number | null) => (units === null ? null : units / UNITS_A_DOLLAR);
  return {
    name: caller.name,
    keys: keyHashes.length,
    admin: caller.admin,
    modes: [...caller.modes],
    requests_per_minute: caller.requestsPerMinute,
    unfinished_avatars: caller.maxUnfinished,
    queue_share: caller.queueShare,
    usd_per_day: usd(caller.caps.day),
    usd_per_month: usd(caller.caps.month),
    webhook_secrets: caller.webhookSecrets.length,
    callback_hosts: caller.callbackHosts,
    expires_at: expiresAt === null ? null : new Date(expiresAt).toISOString(),
    expired: expiresAt !== null && expiresAt <= Date.now(),
  };
}

function cells(view: ReturnType<typeof viewOf>): string[] {
  const or = (value: number | null) => value?.toString() ?? '-';
  return [
    view.name,
    String(view.keys),
    view.admin ? 'yes' : '-',
    view.modes.join(),
    or(view.requests_per_minute),
    or(view.unfinished_avatars),
    String(view.queue_share),
    or(view.usd_per_day),
    or(view.usd_per_month),
    view.expires_at === null ? '-' : `${moment(view.expires_at)}${view.expired ? ' (expired)' : ''}`,
  ];
}
