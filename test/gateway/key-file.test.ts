/** A file of keys beside a running gateway: what is put into it counts without a restart. */

import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ApiKey } from '../../src/modellix/api-key.js';
import { startApp } from '../support/app.js';
import { createAvatar, readAvatar } from '../support/requests.js';
import { until } from '../support/until.js';

const team = { team: 'team', valid: true };
const idOf = (secret: string) => new ApiKey(secret).id;

/** A gateway with the keys of a file; each may have one unfinished task. */
async function started(t: Test, text: string) {
  const path = join(t.testdir({ keys: text }), 'keys');
  const app = await startApp(t, {
    modellix: { keys: text.split(','), keyFile: path },
    limits: { tasks: 1 },
    simulator: {
      settings: {
        keys: { 'key-secret-a': team, 'key-secret-b': team },
        taskMs: { min: 3_600_000, max: 3_600_000 },
        callsPerMinute: 1_000_000,
        concurrency: 10,
      },
    },
  });
  const said = (message: RegExp) =>
    until(String(message), async () => app.logLines().find((line) => message.test(line)) ?? null);
  const replace = (next: string) => {
    writeFileSync(`${path}.new`, next);
    renameSync(`${path}.new`, path);
  };
  const keyIds = async () => {
    const { keys } = (await (await fetch(`${app.url}/readyz`)).json()) as { keys: { id: string }[] };
    return keys.map(({ id }) => id);
  };
  const keepsSecrets = () => t.notMatch(app.logLines().join('\n'), /key-secret/, 'no key is logged');
  return {
    app,
    said,
    replace,
    keyIds,
    keepsSecrets,
    keysUsed: () => app.simulator.ledger().map(({ key }) => key),
  };
}

t.test('a key that is added takes what waits for a slot', async (t) => {
  const { app, said, replace, keyIds, keepsSecrets, keysUsed } = await started(t, 'key-secret-a');
  await createAvatar(app.url);
  t.match(await createAvatar(app.url), { status: 'queued' });
  const made = app.simulator.nextTask();
  replace('key-secret-a\nkey-secret-b\n');
  await made;
  t.strictSame(keysUsed(), ['key-secret-a', 'key-secret-b']);
  t.match(JSON.parse(await said(/read again/)), { keys: 2 });
  t.strictSame(await keyIds(), [idOf('key-secret-a'), idOf('key-secret-b')]);
  keepsSecrets();
});

t.test('a key that is replaced submits no more, and still reads its tasks', async (t) => {
  const { app, said, replace, keyIds, keepsSecrets, keysUsed } = await started(t, 'key-secret-a');
  const first = await createAvatar(app.url);
  replace('key-secret-b');
  await said(/read again/);
  t.strictSame(await keyIds(), [idOf('key-secret-b')]);
  const second = await createAvatar(app.url);
  t.strictSame(keysUsed(), ['key-secret-a', 'key-secret-b']);
  for (const { task_id } of [first, second]) app.simulator.settle(task_id ?? '', { end: 'success' });
  const isMade = async (id: string) => (await readAvatar(app.url, id)).status === 'succeeded' || null;
  for (const { id } of [first, second]) await until('it is made', () => isMade(id), { withinMs: 10_000 });
  keepsSecrets();
});

t.test('a file that is spoiled is complained about, and the keys of before go on', async (t) => {
  const { app, said, replace, keyIds, keepsSecrets, keysUsed } = await started(t, 'key-secret-a');
  replace('key-secret-b and what somebody wrote behind it');
  t.match(JSON.parse(await said(/file of keys is invalid/)), {
    level: 50,
    reason: /not visible ASCII characters$/,
  });
  t.strictSame(await keyIds(), [idOf('key-secret-a')]);
  await createAvatar(app.url);
  t.strictSame(keysUsed(), ['key-secret-a']);
  replace('key-secret-b');
  await said(/read again/);
  t.strictSame(await keyIds(), [idOf('key-secret-b')]);
  keepsSecrets();
});
