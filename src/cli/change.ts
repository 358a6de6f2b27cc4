/** Commands that change one avatar. */

import type { Avatar } from '../client/index.js';
import { details } from './avatar-text.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import type { Session } from './session.js';
import { jsonLine } from './text.js';

export async function cancel(session: Session, id: string): Promise<ExitCode> {
  return changed(session, await session.client.cancel(id, { signal: session.signal }));
}

export async function redeliver(session: Session, id: string): Promise<ExitCode> {
  return changed(session, await session.client.redeliver(id, { signal: session.signal }));
}

export async function remove(session: Session, id: string): Promise<ExitCode> {
  await session.client.delete(id, { signal: session.signal });
  session.note(`${id} is deleted`);
  return EXIT.ok;
}

function changed(session: Session, avatar: Avatar): ExitCode {
  session.print(session.isJson ? jsonLine(avatar) : details(avatar));
  return EXIT.ok;
}
