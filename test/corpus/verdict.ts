/** What is said of a file, by the judge and by the gateway, in the same words. */

/** Why a file is refused, as far as a program that only fails to open it can tell. */
export type Refusal = 'bytes' | 'unreadable' | 'sides' | 'ratio' | 'length';

export type Verdict =
  | { readonly taken: true; readonly format: string; readonly width: number; readonly height: number }
  | { readonly taken: true; readonly format: string; readonly seconds: number }
  | { readonly taken: false; readonly why: Refusal; readonly words: string };

export function refused(why: Refusal, words: string): Verdict {
  return { taken: false, why, words: words.split('\n')[0] ?? '' };
}

export function describe(verdict: Verdict): string {
  if (!verdict.taken) return `no (${verdict.why})`;
  if ('width' in verdict) return `${verdict.format} ${verdict.width}x${verdict.height}`;
  return `${verdict.format} ${verdict.seconds.toFixed(3)} s`;
}
