/** Words and figures for people. */

/**
 * What a terminal would act on rather than show: control characters (C0, C1, DEL), line separators, lone surrogates,
 * and marks that reverse the direction of what follows (Unicode TR 36, "bidirectional text spoofing").
 */
const UNSHOWN = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Text that somebody else wrote, fit for a terminal and for one line. */
export function shown(text: string): string {
  return text.replace(UNSHOWN, escaped);
}

/** One line of JSON, fit for a terminal too. It means the same: all that is escaped can stand in strings alone. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value).replace(UNSHOWN, escaped)}\n`;
}

/** `0:07`, `12:30`, `1:00:00`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const two = (count: number) => String(count).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const tail = two(seconds % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${tail}` : `${minutes}:${tail}`;
}

/** `812 B`, `48 kB`, `3.1 MB`. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${Math.round(bytes / 1000)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** `2026-11-28 14:45:03Z` for an ISO time. */
export function moment(iso: string): string {
  return shown(iso.replace('T', ' ').replace(/\.\d+/, ''));
}

/** A line for each row, its cells below each other. Cut to the width of a terminal, where there is one. */
export function aligned(rows: readonly (readonly string[])[], columns: number | null): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => [...(row[at] ?? '')].length)));
  return rows
    .map((row) => {
      const line = row.map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - [...cell].length)).join('  ');
      return `${columns === null ? line.trimEnd() : cut(line.trimEnd(), columns)}\n`;
    })
    .join('');
}

/** Cut to so many characters, and that said. */
export function cut(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, Math.max(0, length - 1)).join('')}…`;
}
