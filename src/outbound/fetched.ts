import type { Fetched } from '../domain/media/fetched.js';

export function unreachable(reason: string): Fetched {
  return { kind: 'unreachable', detail: `could not be fetched: ${reason}` };
}
