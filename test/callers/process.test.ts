/** The process: SIGHUP, and a start that is refused. */

import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runGateway, startGateway } from '../support/processes.js';
import { until } from '../support/until.js';

const FILE = `callers:\n  - name: shop\n    key_sha256: ${'ab'.repeat(32)}\n`;

t.setTimeout(600_000);

t.test('SIGHUP reads the file of callers again', async (t) => {
  const dir = t.testdir({ callers: FILE });
  const file = join(dir, 'callers');
  chmodSync(file, 0o600);
  const gateway = await startGateway({
    MODELLIX_API_KEY: 'a-key',
    DATA_DIR: join(dir, 'data'),
    CALLERS_FILE: file,
  });
  const complaints = async (count: number) =>
    gateway.output().split('"the file of callers is invalid').length > count || null;
  const signal = () => void gateway.stop('SIGHUP');
  writeFileSync(file, 'callers:\n');
  await until('it is seen by itself', () => complaints(1));
  signal();
  await until('who asks is told again', () => complaints(2));
  writeFileSync(file, `${FILE}    admin: true\n`);
  signal();
  await until('it is read', async () => gateway.output().includes('read again') || null);
  t.equal(await gateway.stop('SIGTERM'), 0, 'it went on, and ends as ever');
});

t.test('without such a file, SIGHUP ends it', async (t) => {
  const gateway = await startGateway({ MODELLIX_API_KEY: 'a-key', DATA_DIR: t.testdir() });
  t.equal(await gateway.stop('SIGHUP'), 0);
});

t.test('a wrong file is a wrong setting: 2', async (t) => {
  const dir = t.testdir({ callers: 'callers:\n' });
  const env = { MODELLIX_API_KEY: 'a-key', DATA_DIR: join(dir, 'data'), CALLERS_FILE: join(dir, 'callers') };
  t.match(await runGateway([], env), {
    code: 2,
    stderr: 'avatar-gateway: CALLERS_FILE: callers (line 1) must be a list\n',
  });
});
