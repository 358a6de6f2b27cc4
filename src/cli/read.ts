/** Commands that look at avatars, and change nothing. */

import type { Avatar, AvatarStatus } from '../client/index.js';
import { details, table } from './avatar-text.js';
import { download } from './download.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { outAt } from './out.js';
import type { CommonOptions, Session } from './session.js';
import { jsonLine } from './text.js';

/** The most a page can hold. */
const PAGE = 100;

export interface GetOptions extends CommonOptions {
  readonly out?: string;
  readonly force?: boolean;
}

export async function get(session: Session, id: string, options: GetOptions): Promise<ExitCode> {
  const out = options.out === undefined ? null : await outAt(session, options.out, options.force === true);
  const avatar = await session.client.get(id, { signal: session.signal });
  if (session.isJson) session.print(jsonLine(avatar));
  else if (out === null) session.print(details(avatar));
  if (out !== null) await download(session, avatar.id, out);
  return EXIT.ok;
}

export interface ListOptions extends CommonOptions {
  /** One or several, separated by commas, as the gateway takes them. */
  readonly status?: string;
  readonly externalId?: string;
  /** How many in all. */
  readonly limit: number;
}

export async function list(session: Session, { status, externalId, limit }: ListOptions): Promise<ExitCode> {
  const query = {
    ...(status === undefined ? {} : { status: status.split(',') as AvatarStatus[] }),
    ...(externalId === undefined ? {} : { external_id: externalId }),
    limit: Math.min(limit, PAGE),
  };
  const avatars: Avatar[] = [];
  let count = 0;
  let isMore = false;
  for await (const avatar of session.client.list(query, { signal: session.signal })) {
    isMore = count === limit;
    if (isMore) break;
    count += 1;
    if (session.isJson) session.print(jsonLine(avatar));
    else avatars.push(avatar);
  }
  if (!session.isJson && count > 0) session.print(table(avatars, session.columns));
  if (isMore) session.note(`There are more than these ${count}: see --limit`);
  else if (count === 0) session.note('There are none');
  return EXIT.ok;
}
