/** What all measurements need that end up on a page of the documentation. */

import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';

const DOCS = new URL('../docs/', import.meta.url);

/** This machine, in the words of a footnote. */
export function machine(): string {
  const [first, ...others] = cpus();
  return `${first?.model.trim() ?? 'unknown processor'}, ${others.length + 1} cores, Node ${process.version}`;
}

export function today(): string {
  return new Date().toISOString().slice(0, 10);
}

export function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Puts text between the marks of a measurement, in place of what stands there. */
export async function writeBlock(page: string, mark: string, text: string): Promise<void> {
  const file = new URL(page, DOCS);
  const old = await readFile(file, 'utf8');
  const [begin, end] = [`<!-- ${mark} -->`, `<!-- /${mark} -->`];
  const [before, after] = [old.indexOf(begin), old.indexOf(end)];
  if (before < 0 || after < before) throw new Error(`docs/${page} has no place for it: ${begin} ... ${end}`);
  await writeFile(file, `${old.slice(0, before + begin.length)}\n\n${text}\n\n${old.slice(after)}`);
}

export async function writePicture(name: string, svg: string): Promise<void> {
  await writeFile(new URL(name, DOCS), svg);
}
