/** Failures after these have most likely the same cause. */
const MOST_SHOWN = 20;
const MOST_LINES = 60;

/** What a TAP report says of each failure, for whoever has no more than what was printed. */
export function explainFailures(tap: string): string[] {
  const failures = tap.matchAll(/^ *(not ok \d+ - [^\n]*)\n( *)---\n(.*?)\n\2\.\.\.$/gms);
  return [...failures].slice(0, MOST_SHOWN).map(([, failure, indent = '', text = '']) => {
    const lines = text.split('\n').map((line) => `  ${line.slice(indent.length)}`);
    const left = lines.length - MOST_LINES;
    const more = left > 0 ? [`  ... and ${left} lines more`] : [];
    return [failure, ...lines.slice(0, MOST_LINES), ...more].join('\n');
  });
}
