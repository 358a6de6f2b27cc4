import { CommanderError } from 'commander';
import { ConnectionError, GatewayError, WaitTimeoutError } from '../client/index.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { shown } from './text.js';

/** An argument or a setting that cannot be used. The message names it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A file that cannot be read or written any more, after all was checked. The message names it. */
export class FileError extends Error {
  override readonly name = 'FileError';
}

/** A video that did not arrive whole. */
export class CutOffError extends Error {
  override readonly name = 'CutOffError';
}

/** What went wrong, with what can be done now. */
export class AdvisedError extends Error {
  override readonly name = 'AdvisedError';
  readonly advice: string;

  constructor(cause: unknown, advice: string) {
    super(advice, { cause });
    this.advice = advice;
  }
}

interface Failure {
  readonly code: ExitCode;
  /** Fit for a terminal; empty where there is nothing to be said. */
  readonly text: string;
}

/** The option a field of the request comes from, where the two have other names. */
const OPTIONS: Readonly<Record<string, string>> = {
  '/image': '--image',
  '/sound_file': '--audio',
  '/audio_id': '--audio-id',
  '/prompt': '--prompt',
  '/mode': '--mode',
  '/external_id': '--external-id',
  '/metadata': '--metadata',
  '/callback_url': '--callback-url',
  status: '--status',
  external_id: '--external-id',
  limit: '--limit',
};

/**
 * What to say of an error, and what to end with.
 * @throws the error itself, where it is none that can be expected
 */
export function failureOf(error: unknown, isInterrupted: boolean): Failure {
  if (error instanceof AdvisedError) {
    const { code, text } = failureOf(error.cause, isInterrupted);
    return { code, text: text === '' ? error.advice : `${text}\n${error.advice}` };
  }
  const hasNoReader = (error as { readonly code?: unknown }).code === 'EPIPE';
  if (isInterrupted || hasNoReader) return { code: EXIT.interrupted, text: '' };
  // Commander has said it already.
  if (error instanceof CommanderError) return { code: error.exitCode === 0 ? EXIT.ok : EXIT.usage, text: '' };
  if (error instanceof UsageError) return { code: EXIT.usage, text: shown(error.message) };
  if (error instanceof FileError) return { code: EXIT.failed, text: shown(error.message) };
  if (error instanceof GatewayError) return { code: codeOf(error), text: refusal(error) };
  if (error instanceof WaitTimeoutError) return { code: EXIT.timedOut, text: shown(error.message) };
  if (error instanceof ConnectionError || error instanceof CutOffError) {
    return { code: EXIT.unreachable, text: shown(error.message) };
  }
  throw error;
}

function codeOf({ status }: GatewayError): ExitCode {
  // A redirect is no answer of the gateway.
  return status >= 400 && status < 500 ? EXIT.failed : EXIT.unreachable;
}

function refusal({ status, problem, message, requestId, retryAfterMs }: GatewayError): string {
  const lines = [problem === null ? message : `${problem.title} (${status}): ${problem.detail}`];
  for (const { pointer, detail } of problem?.errors ?? []) {
    lines.push(`  ${OPTIONS[pointer] ?? pointer}: ${detail}`);
  }
  if (retryAfterMs !== null) lines.push(`  try again in ${Math.ceil(retryAfterMs / 1000)} s`);
  if (requestId !== null) lines.push(`  request ${requestId}`);
  return lines.map(shown).join('\n');
}
