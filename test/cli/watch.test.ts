/** Waiting for avatars that others made. */

import t from 'tap';
import { startApp } from '../support/app.js';
import { createAvatar, URLS } from '../support/requests.js';
import { startRelay } from './relay.js';
import { ran, start } from './support.js';

t.test('one at a time at Modellix', async (t) => {
  const app = await startApp(t, { limits: { tasks: 1 }, gateway: { submitGraceMs: 0 } });
  const { url, simulator } = app;
  const made = simulator.nextTask();
  const first = await createAvatar(url);
  const { taskId } = await made;
  const second = await createAvatar(url);
  const third = await createAvatar(url);

  t.test('the place in the queue is shown as it changes; the end of a canceled one is 1', async (t) => {
    const watching = start(url, ['watch', third.id]);
    await watching.stderr.has(/ {2}queued, place 2\n/);
    const canceled = await ran(url, ['cancel', second.id]);
    t.match(canceled, { code: 0, stdout: new RegExp(`^${second.id}\n {2}status +canceled\n`) });
    await watching.stderr.has(/ {2}queued, place 1\n/);
    t.match(await ran(url, ['cancel', third.id, '--json']), { code: 0, stdout: /"status":"canceled"/ });
    t.equal(await watching.code, 1);
    t.equal(
      watching.stderr.text,
      [
        `${third.id}  queued, place 2`,
        `${third.id}  queued, place 1`,
        `${third.id}  canceled`,
        `avatar-gateway: ${third.id} ended as canceled\n`,
      ].join('\n'),
    );
    t.equal(watching.stdout.text, '');
  });

  t.test('what can no longer be canceled, or not yet be deleted, is refused: 1', async (t) => {
    t.match(await ran(url, ['cancel', first.id]), { code: 1, stderr: /can no longer be canceled \(409\)/ });
    t.match(await ran(url, ['delete', first.id]), { code: 1, stderr: /is not final \(409\)/ });
    t.match(await ran(url, ['redeliver', first.id]), { code: 1, stderr: /nobody to be told \(409\)/ });
  });

  t.test('longer than --timeout: 4, and how to go on', async (t) => {
    t.match(await ran(url, ['watch', first.id, '--timeout', '0.1', '--quiet']), {
      code: 4,
      stderr: new RegExp(`^avatar-gateway: .*\n${first.id} goes on; .*: avatar-gateway watch ${first.id}\n$`),
    });
  });

  t.test('all of them, until it is interrupted; one with each change as JSON', async (t) => {
    const all = start(url, ['watch']);
    const one = start(url, ['watch', first.id, '--json']);
    await one.stdout.has(/"pending"|"processing"/);
    // It follows once it is told of something.
    const probe = async () => (await createAvatar(url, { ...URLS, external_id: 'probe' })).id;
    const probing = setInterval(() => void probe().catch(() => {}), 250);
    t.teardown(() => clearInterval(probing));
    await all.stdout.has(/ {2}queued/);
    clearInterval(probing);

    simulator.settle(taskId, { end: 'success' });
    await all.stdout.has(new RegExp(`^\\d{4}-\\d\\d-\\d\\d .*Z {2}${first.id} {2}succeeded\n`, 'm'));
    t.equal(await one.code, 0);
    const states = one.stdout.text.trimEnd().split('\n');
    t.match(JSON.parse(states.at(-1) ?? ''), { id: first.id, status: 'succeeded' });
    t.ok(states.length > 1);

    t.match(await ran(url, ['delete', first.id]), {
      code: 0,
      stdout: '',
      stderr: `${first.id} is deleted\n`,
    });
    await all.stdout.has(new RegExp(` {2}${first.id} {2}deleted\n`));
    all.interrupt();
    t.equal(await all.code, 130);
    t.equal(all.stderr.text, '');
  });
});

t.test('a gateway that goes away and comes back meanwhile', async (t) => {
  const before = await startApp(t);
  const { simulator, config } = before;
  const relay = await startRelay(t, before.url);
  const { id, task_id } = await createAvatar(relay.url);
  const watching = start(relay.url, ['watch', id]);
  await watching.stderr.has(/ {2}(pending|processing)\n/);
  await before.close();
  await relay.refused();
  const after = await startApp(t, { beside: simulator, dataDir: config.dataDir });
  relay.leadTo(after.url);
  simulator.settle(task_id ?? '', { end: 'success' });
  t.equal(await watching.code, 0);
  t.match(watching.stderr.text, new RegExp(`${id}  succeeded\n$`));
  t.notMatch(watching.stderr.text, /avatar-gateway:/, 'nothing to be told of');
});
