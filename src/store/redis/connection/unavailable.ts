import { StoreUnavailableError } from '../../store.js';

/** What to do about refusals whose word says nothing, by how Redis begins them. */
const ADVICE: Readonly<Record<string, string>> = {
  'ERR This instance has cluster support disabled': 'it is no Cluster; write redis:// in REDIS_URL',
  'ERR DB index is out of range': 'it has no database of the number in REDIS_URL',
};

/**
 * What went wrong, without the error of ioredis as its cause: that one carries the command's arguments (the media,
 * and for AUTH the password) and the address.
 */
export function unavailable(error: unknown): StoreUnavailableError {
  if (error instanceof StoreUnavailableError) return error;
  const refusal = refusalOf(error);
  if (refusal !== null) {
    const { message } = error as Error;
    const advice = Object.keys(ADVICE).find((beginning) => message.startsWith(beginning));
    const words = advice === undefined ? '' : `: ${ADVICE[advice]}`;
    return new StoreUnavailableError(`Redis refused (${refusal})${words}`);
  }
  if (error instanceof Error && error.message === 'Command timed out') {
    return new StoreUnavailableError('Redis did not answer in time');
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const what = 'its certificate is for another name, which REDIS_TLS_SERVERNAME can give';
    return new StoreUnavailableError(`Redis cannot be reached (${code}): ${what}`);
  }
  return /^[A-Z][A-Z0-9_]+$/.test(code)
    ? new StoreUnavailableError(`Redis cannot be reached (${code})`)
    : away();
}

/** The word Redis refused with, `null` where it did not answer. */
export function refusalOf(error: unknown): string | null {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return null;
  // ElastiCache Serverless says "ERR MOVED".
  const [, code] = /^(?:ERR (?=MOVED ))?([A-Z]+)(?: |$)/.exec(error.message) ?? [];
  return code ?? 'ERR';
}

export const away = (): StoreUnavailableError => new StoreUnavailableError('Redis cannot be reached');
