import { statusText } from './avatar-text.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import type { CommonOptions, Session } from './session.js';
import { jsonLine, moment, shown } from './text.js';
import { ended, waitFor } from './wait.js';

export interface WatchOptions extends CommonOptions {
  /** In seconds. */
  readonly timeout?: number;
}

export async function watch(
  session: Session,
  id: string | undefined,
  options: WatchOptions,
): Promise<ExitCode> {
  return id === undefined ? watchAll(session) : watchOne(session, id, options);
}

async function watchOne(session: Session, id: string, { timeout }: WatchOptions): Promise<ExitCode> {
  // Whoever waits is patient while the gateway is away. At first, that more likely is a wrong URL.
  const { id: known } = await session.client.get(id, { signal: session.signal });
  const avatar = await waitFor(session, known, {
    ...(timeout === undefined ? {} : { timeout }),
    onChange: (seen) => void (session.isJson && session.print(jsonLine(seen))),
  });
  return ended(session, avatar);
}

/** Until it is interrupted. */
async function watchAll(session: Session): Promise<ExitCode> {
  const { client, signal } = session;
  for await (const event of client.events(null, { signal })) {
    if (event.type === 'reset') {
      session.note('Some changes were missed: avatar-gateway list');
    } else if (event.type === 'deleted') {
      if (!session.isJson) session.print(`${now()}  ${shown(event.id)}  deleted\n`);
    } else if (session.isJson) {
      session.print(jsonLine(event.avatar));
    } else {
      session.print(`${now()}  ${shown(event.avatar.id)}  ${statusText(event.avatar)}\n`);
    }
  }
  return EXIT.interrupted;
}

const now = () => moment(new Date().toISOString());
