import type { Caller } from '../../domain/caller.js';
import { checkHttpUrl, UrlNotAllowedError } from '../../domain/media/media.js';
import { ProblemError } from '../../problems.js';
import type { Ports } from '../ports.js';

const POINTER = '/callback_url';
/** Words for callers who cannot change it themselves. */
export const NO_SECRETS = 'this gateway sends no callbacks: whoever runs it has to set WEBHOOK_SECRETS';
/** As a predicate. */
const NOT_LISTED = 'names a host that your callbacks may not go to';

/**
 * That a caller's receiver may be called, as far as can be said now.
 * @throws {ProblemError} `validation` where nobody can be told, `url-not-allowed`
 */
export async function requireCallable(
  ports: Pick<Ports, 'callbacks' | 'settings'>,
  caller: Caller,
  callbackUrl: string | null,
): Promise<void> {
  if (callbackUrl === null) return;
  if (secretsOf(ports, caller).length === 0) {
    throw refusal('validation', `cannot be used here: ${NO_SECRETS}`);
  }
  const detail =
    malformed(callbackUrl) ?? notListed(caller, callbackUrl) ?? (await ports.callbacks.refusal(callbackUrl));
  if (detail !== null) throw refusal('url-not-allowed', detail);
}

/** How an avatar's receiver is told: with these secrets, or not at all, for this reason. */
export type Telling = { readonly secrets: readonly string[] } | { readonly not: string };

/** As things are now, which is not as they were when the avatar was accepted: its caller may be another, or gone. */
export function tellingOf(
  ports: Pick<Ports, 'callers' | 'settings'>,
  callerName: string,
  callbackUrl: string,
): Telling {
  const caller = ports.callers?.find(callerName) ?? null;
  const secrets = secretsOf(ports, caller);
  if (secrets.length === 0) return { not: NO_SECRETS };
  return caller !== null && notListed(caller, callbackUrl) !== null
    ? { not: `it ${NOT_LISTED}` }
    : { secrets };
}

function secretsOf({ settings }: Pick<Ports, 'settings'>, caller: Caller | null): readonly string[] {
  return caller !== null && caller.webhookSecrets.length > 0
    ? caller.webhookSecrets
    : settings.webhookSecrets;
}

function notListed({ callbackHosts }: Caller, url: string): string | null {
  if (callbackHosts === null) return null;
  // As WHATWG reads it: in lower case, and in ASCII. A name may end with the dot that it ends with in the DNS.
  const host = new URL(url).hostname.replace(/\.$/, '');
  const isListed = callbackHosts.some((listed) =>
    listed.startsWith('*.') ? host.endsWith(listed.slice(1)) : host === listed,
  );
  return isListed ? null : NOT_LISTED;
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
