import { StoreUnavailableError } from '../store.js';

/**
 * What went wrong, without the error of ioredis as its cause: that one carries the command's arguments (the media,
 * and for AUTH the password) and the address.
 */
export function unavailable(error: unknown): StoreUnavailableError {
  if (error instanceof StoreUnavailableError) return error;
  const refusal = refusalOf(error);
  if (refusal !== null) return new StoreUnavailableError(`Redis refused (${refusal})`);
  if (error instanceof Error && error.message === 'Command timed out') {
    return new StoreUnavailableError('Redis did not answer in time');
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^[A-Z][A-Z0-9_]+$/.test(code)
    ? new StoreUnavailableError(`Redis cannot be reached (${code})`)
    : away();
}

/** The word Redis refused with, `null` where it did not answer. */
export function refusalOf(error: unknown): string | null {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return null;
  const [code = ''] = error.message.split(' ', 1);
  return /^[A-Z]+$/.test(code) ? code : 'ERR';
}

export const away = (): StoreUnavailableError => new StoreUnavailableError('Redis cannot be reached');
