import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { gatewayFor, read, settingsFor, simulatorFor, tempDir } from '../e2e/support.js';
import { runGateway } from '../support/processes.js';
import { until } from '../support/until.js';
import { isAway, underWay } from './outage.js';
import { isPaidOnce, Subject } from './subject.js';

/** A disk that takes nothing more for a while, and folders that can never be written. */
export async function fillsUp(t: Test): Promise<void> {
  const simulator = await simulatorFor(t, { settings: { taskMs: { min: 3_600_000, max: 3_600_000 } } });
  const env = { ...settingsFor(simulator), DATA_DIR: await tempDir(t) };
  const gateway = await gatewayFor(t, env, { preload: './test/faults/full-disk.mjs' });
  const app = { url: gateway.url, simulator };
  const pid = /"pid":(\d+)/.exec(gateway.output())?.[1] ?? '';
  /** No file of the process may grow beyond it: what a full disk is to a program. */
  const limitFiles = (bytes: string) =>
    promisify(execFile)('prlimit', ['--pid', pid, `--fsize=${bytes}:unlimited`]);

  const before = await Subject.post(app);
  const { waiting, posted, goOn } = await underWay(app);
  await limitFiles('0');
  const refused = await isAway(t, app);
  await goOn();
  t.equal(waiting.posts().length, 1, 'what is due waits for its intent');
  await until('the spool is full, too', async () =>
    gateway.output().includes('an answer could not be spooled') ? true : null,
  );
  await limitFiles('unlimited');
  const subjects = [before, await posted, waiting];
  for (const subject of subjects) await isPaidOnce(t, subject);
  t.same(
    [...subjects, refused].map((subject) => subject.posts().length),
    [1, 1, 2, 0],
  );
  t.equal(await gateway.stop('SIGTERM'), 0);
  const next = await gatewayFor(t, env);
  for (const { id } of subjects)
    t.equal((await read(next.url, id)).status, 'succeeded', 'nothing is corrupt');
  t.equal(simulator.ledger().length, 3);

  const blocked = await tempDir(t);
  await writeFile(join(blocked, 'answers'), '');
  await mkdir(join(blocked, 'tasks'));
  for (const [dir, line] of [
    [blocked, /DATA_DIR=\S+ cannot be written \(EEXIST\): answers wait there/],
    ['/dev/null/data', /the data directory \S+ cannot be opened/],
  ] as const) {
    const { code, stderr } = await runGateway([], { ...env, DATA_DIR: dir });
    t.equal(code, 1);
    t.match(
      stderr,
      new RegExp(`^avatar-gateway: .*${line.source}.*\\n$`),
      'refused at the start, in one line',
    );
  }
}
