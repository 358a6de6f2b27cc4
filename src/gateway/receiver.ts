import { checkHttpUrl, UrlNotAllowedError } from '../domain/media/media.js';
import { ProblemError } from '../problems.js';
import type { Ports } from './ports.js';

const POINTER = '/callback_url';
/** Words for callers who cannot change it themselves. */
export const NO_SECRETS = 'this gateway sends no callbacks: whoever runs it has to set WEBHOOK_SECRETS';

/**
 * That a receiver may be called, as far as can be said now.
 * @throws {ProblemError} `validation` where nobody can be told, `url-not-allowed`
 */
export async function requireCallable(
  { callbacks }: Pick<Ports, 'callbacks'>,
  callbackUrl: string | null,
): Promise<void> {
  if (callbackUrl === null) return;
  if (callbacks === null) throw refusal('validation', `is of no use here: ${NO_SECRETS}`);
  const detail = malformed(callbackUrl) ?? (await callbacks.refusal(callbackUrl));
  if (detail !== null) throw refusal('url-not-allowed', detail);
}

function malformed(url: string): string | null {
  try {
    checkHttpUrl(url);
    return null;
  } catch (error) {
    if (error instanceof UrlNotAllowedError) return error.detail;
    throw error;
  }
}

function refusal(slug: 'validation' | 'url-not-allowed', detail: string): ProblemError {
  return new ProblemError(slug, `${POINTER}: ${detail}`, { errors: [{ pointer: POINTER, detail }] });
}
