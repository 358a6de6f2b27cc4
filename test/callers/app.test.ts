/** A gateway with a file of callers: what it logs of it, and what it logs of files that others can read. */

import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startApp } from '../support/app.js';
import { until } from '../support/until.js';

const HASH = 'ab'.repeat(32);
const FILE = `callers:\n  - name: shop\n    key_sha256: ${HASH}\n`;

t.test('read again, spoiled, and open to others', async (t) => {
  const dir = t.testdir({ callers: FILE, key: 'a-key', tight: 'a-secret' });
  const file = join(dir, 'callers');
  chmodSync(file, 0o640);
  chmodSync(join(dir, 'key'), 0o644);
  chmodSync(join(dir, 'tight'), 0o400);
  const app = await startApp(t, {
    callers: { kind: 'file', file },
    secretFiles: [
      { variable: 'CALLERS_FILE', file },
      { variable: 'MODELLIX_API_KEY_FILE', file: join(dir, 'key') },
      { variable: 'WEBHOOK_SECRETS_FILE', file: join(dir, 'tight') },
      { variable: 'REDIS_URL_FILE', file: join(dir, 'none') },
    ],
  });
  const logged = (message: RegExp) =>
    app
      .logLines()
      .filter((line) => message.test(line))
      .map((line) => JSON.parse(line));
  const said = (message: RegExp, count = 1) =>
    until(String(message), async () => (logged(message).length >= count ? logged(message) : null));

  t.match(logged(/by others/), [{ level: 40, variable: 'MODELLIX_API_KEY_FILE', permissions: '0644' }]);
  await app.reload();
  t.strictSame(logged(/file of callers/), [], 'nothing is said where nothing changed');

  chmodSync(file, 0o660);
  writeFileSync(file, FILE.replace('shop', 'store'));
  t.match(await said(/callers was read again/), [{ level: 30, callers: 1 }]);
  t.match((await said(/by others/, 2)).slice(1), [
    { level: 40, variable: 'CALLERS_FILE', permissions: '0660' },
  ]);

  writeFileSync(file, `${FILE}    webhook_secrets: [hush]\n`);
  await app.reload();
  t.match(logged(/file of callers is invalid/).at(-1), {
    level: 50,
    reason: /^callers\[0\]\.webhook_secrets\[0\] \(line 4\) must be/,
  });
  t.notMatch(app.logLines().join('\n'), /hush|abab|a-key/);
});

t.test('a file that is invalid stops the start', async (t) => {
  const file = join(t.testdir({ callers: 'callers:\n- name: shop\n' }), 'callers');
  await t.rejects(startApp(t, { callers: { kind: 'file', file } }), {
    name: 'ConfigError',
    message: 'CALLERS_FILE: callers[0].key_sha256 (line 2) is missing',
  });
});
