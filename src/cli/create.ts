import { randomUUID } from 'node:crypto';
import { type Avatar, ConnectionError, type CreateRequest, GatewayError, isFinal } from '../client/index.js';
import { checkText } from './avatar-text.js';
import { download } from './download.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { AdvisedError, UsageError } from './failure.js';
import { isStdin, mediaAt } from './media.js';
import { outAt } from './out.js';
import type { CommonOptions, Session } from './session.js';
import { duration, jsonLine } from './text.js';
import { ended, waitFor } from './wait.js';

export interface CreateOptions extends CommonOptions {
  readonly image: string;
  readonly audio?: string;
  readonly audioId?: string;
  readonly prompt?: string;
  readonly mode?: 'std' | 'pro';
  readonly externalId?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly callbackUrl?: string;
  readonly startWithin?: number;
  readonly idempotencyKey?: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly wait: boolean;
  /** In seconds. */
  readonly timeout?: number;
  readonly check?: boolean;
}

export async function create(session: Session, options: CreateOptions): Promise<ExitCode> {
  const out = options.out === undefined ? null : await outAt(session, options.out, options.force === true);
  const request = await requestOf(session, options);
  if (options.check) return check(session, request);

  const made = await send(session, request, options.idempotencyKey ?? randomUUID());
  if (!options.wait) {
    session.print(session.isJson ? jsonLine(made) : `${made.id}\n`);
    return isFinal(made) ? ended(session, made) : EXIT.ok;
  }
  // Before anything else: with it, the avatar is found again whatever happens here.
  session.note(made.id);
  const avatar = await waitFor(session, made.id, options);
  if (session.isJson) session.print(jsonLine(avatar));
  const code = ended(session, avatar);
  if (code !== EXIT.ok) return code;
  const advice = `${avatar.id} succeeded; its video: avatar-gateway get ${avatar.id} --out FILE`;
  if (out === null) {
    session.note(advice);
  } else {
    await download(session, avatar.id, out).catch((error: unknown) => {
      throw new AdvisedError(error, advice);
    });
  }
  return EXIT.ok;
}

async function requestOf(session: Session, options: CreateOptions): Promise<CreateRequest> {
  const { prompt, mode, externalId, metadata, callbackUrl, startWithin } = options;
  if (isStdin(options.image) && isStdin(options.audio)) {
    throw new UsageError('--image and --audio cannot both be read from stdin');
  }
  return {
    image: await mediaAt(session, '--image', options.image),
    ...(await soundOf(session, options)),
    ...(prompt === undefined ? {} : { prompt }),
    ...(mode === undefined ? {} : { mode }),
    ...(externalId === undefined ? {} : { external_id: externalId }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(callbackUrl === undefined ? {} : { callback_url: callbackUrl }),
    ...(startWithin === undefined ? {} : { start_within_seconds: startWithin }),
  };
}

async function soundOf(session: Session, { audio, audioId }: CreateOptions) {
  if (audio !== undefined) return { sound_file: await mediaAt(session, '--audio', audio) };
  if (audioId !== undefined) return { audio_id: audioId };
  throw new UsageError('--audio or --audio-id is needed');
}

async function send(session: Session, request: CreateRequest, idempotencyKey: string): Promise<Avatar> {
  const { client, signal } = session;
  const progress = session.progress();
  progress.show({ name: 'avatar', text: 'sending', live: () => duration(progress.elapsedMs) });
  try {
    return await client.create(request, { idempotencyKey, signal });
  } catch (error) {
    const id = error instanceof GatewayError ? error.avatarId : null;
    if (id !== null && !signal.aborted) return await client.get(id, { signal });
    if (isNothingMade(error) && !signal.aborted) throw error;
    throw new AdvisedError(
      error,
      `An avatar may have been made. To go on without paying twice, run the same again with --idempotency-key ${idempotencyKey}`,
    );
  } finally {
    progress.end();
  }
}

function isNothingMade(error: unknown): boolean {
  if (error instanceof ConnectionError) return error.isUnsent;
  return error instanceof GatewayError && error.status < 500;
}

async function check(session: Session, request: CreateRequest): Promise<ExitCode> {
  const checked = await session.client.check(request, { signal: session.signal });
  session.print(session.isJson ? jsonLine(checked) : checkText(checked));
  return EXIT.ok;
}
