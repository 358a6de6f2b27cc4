/** A file of callers that changes beside a running gateway. */

import { EventEmitter, once } from 'node:events';
import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { hashOf } from '../../src/callers/key.js';
import { type CallersEvent, openCallers } from '../../src/callers/open.js';

const fileOf = (...names: string[]) =>
  JSON.stringify({
    callers: names.map((name) => ({ name, key_sha256: hashOf(`key-${name}`).toString('hex') })),
  });

async function opened(t: Test, file: string) {
  const events = new EventEmitter<{ event: [CallersEvent] }>();
  const said: CallersEvent[] = [];
  events.on('event', (event) => said.push(event));
  const callers = await openCallers({ file, now: Date.now, onEvent: (event) => events.emit('event', event) });
  // The watch alone keeps no process alive.
  const alive = setInterval(() => {}, 60_000);
  t.teardown(() => {
    clearInterval(alive);
    callers.close();
  });
  const next = async (change: () => void): Promise<CallersEvent> => {
    const event = once(events, 'event');
    change();
    return (await event)[0];
  };
  const known = (name: string) => callers.identify(`key-${name}`).kind === 'known';
  return { callers, next, known, said };
}

t.test('written over, replaced, spoiled, removed, put back', async (t) => {
  const file = join(t.testdir({ callers: fileOf('a') }), 'callers');
  const replace = (text: string) => {
    writeFileSync(`${file}.other`, text);
    renameSync(`${file}.other`, file);
  };
  const { callers, next, known, said } = await opened(t, file);
  t.ok(known('a'));
  await callers.reload();
  t.strictSame(said, [], 'nothing has changed');

  t.strictSame(await next(() => writeFileSync(file, fileOf('a', 'b'))), { kind: 'changed', callers: 2 });
  t.ok(known('b'));
  t.strictSame(await next(() => replace(fileOf('b'))), { kind: 'changed', callers: 1 });
  t.notOk(known('a'), 'its key is none any more');
  t.equal(callers.find('a'), null);

  const bad = { kind: 'unusable', reason: 'callers[0].name (line 1) is missing' };
  t.strictSame(await next(() => replace('{"callers":[{}]}')), bad);
  t.ok(known('b'), 'those of before go on');
  await callers.reload();
  t.strictSame(said.slice(-2), [bad, bad], 'who asks is told again');
  t.strictSame(await next(() => rmSync(file)), { kind: 'unusable', reason: 'it cannot be read (ENOENT)' });
  t.strictSame(await next(() => replace('x'.repeat(1_000_001))), {
    kind: 'unusable',
    reason: 'it cannot be read (it is larger than 1000000 bytes)',
  });
  t.ok(known('b'));
  t.strictSame(await next(() => replace(fileOf('b'))), { kind: 'changed', callers: 1 }, 'it is as before');

  replace(fileOf('c'));
  await callers.reload();
  t.ok(known('c'), 'at once');
  callers.close();
  callers.close();
  const count = said.length;
  replace(fileOf('d'));
  await callers.reload();
  t.notOk(known('d'));
  t.equal(said.length, count, 'nothing is said after the close');
});

t.test('a volume of Kubernetes: the folder that a link leads to is swapped', async (t) => {
  const dir = t.testdir({ v1: { callers: fileOf('a') }, v2: { callers: fileOf('b') } });
  symlinkSync('v1', join(dir, '..data'));
  symlinkSync(join('..data', 'callers'), join(dir, 'callers'));
  const { next, known } = await opened(t, join(dir, 'callers'));
  const swap = () => {
    symlinkSync('v2', join(dir, '..data_tmp'));
    renameSync(join(dir, '..data_tmp'), join(dir, '..data'));
  };
  t.strictSame(await next(swap), { kind: 'changed', callers: 1 });
  t.ok(known('b'));
});

t.test('a file that is invalid at the start', async (t) => {
  const dir = t.testdir({ callers: 'callers: {}' });
  const open = (name: string) => openCallers({ file: join(dir, name), now: Date.now, onEvent: () => {} });
  await t.rejects(open('callers'), { name: 'CallersError', message: 'callers (line 1) must be a list' });
  await t.rejects(open('none'), { name: 'CallersError', message: 'it cannot be read (ENOENT)' });
  await t.rejects(open('.'), { name: 'CallersError', message: 'it cannot be read (EISDIR)' });
});
