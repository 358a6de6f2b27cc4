/** Failures after these have most likely the same cause. */
const MOST_SHOWN = 20;
const MOST_LINES = 60;

/** What a TAP report says of each failure, for whoever has no more than what was printed. */
export function explainFailures(tap: string): string[] {
  const said: string[] = [];
  let block: { readonly indent: string; readonly lines: string[] } | null = null;
  let failure = '';
  for (const line of tap.split('\n')) {
    if (block !== null) {
      if (line.trimEnd() !== `${block.indent}...`) block.lines.push(line.slice(block.indent.length));
      else {
        const left = block.lines.length - MOST_LINES;
        const more = left > 0 ? [`... and ${left} lines more`] : [];
        said.push(
          [failure, ...[...block.lines.slice(0, MOST_LINES), ...more].map((each) => `  ${each}`)].join('\n'),
        );
        block = null;
      }
      continue;
    }
    const opens = /^( *)---$/.exec(line);
    if (opens && failure !== '') block = { indent: opens[1] ?? '', lines: [] };
    else failure = /^ *(not ok \d+ - .*)$/.exec(line)?.[1] ?? '';
  }
  return said.slice(0, MOST_SHOWN);
}
