/** What a process and its children use, from /proc. */

import { readFile } from 'node:fs/promises';
import { residentBytes } from '../process.js';

/** A tick of /proc is a hundredth of a second on every Linux (proc(5), `sysconf(_SC_CLK_TCK)`). */
const TICK_MS = 10;

/** Processor time so far. */
export async function cpuMs(pid: number): Promise<number> {
  const all = (await family(pid)).map(async (each) => {
    const stat = await readFile(`/proc/${each}/stat`, 'utf8');
    // The name of the program, in brackets, may have blanks; what is behind it has none.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  });
  return sum(await Promise.all(all));
}

/** Resident memory now. */
export async function rssBytes(pid: number): Promise<number> {
  return sum(await Promise.all((await family(pid)).map((each) => residentBytes(each, 'now'))));
}

async function family(pid: number): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const below = children.split(' ').filter(Boolean).map(Number).map(family);
  return [pid, ...(await Promise.all(below)).flat()];
}

const sum = (values: readonly number[]): number => values.reduce((all, each) => all + each, 0);
