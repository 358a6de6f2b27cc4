import t from 'tap';
import { EventReader } from '../support/events.js';
import { makeLarge, readAll } from '../support/streams.js';
import { showCases } from './cases.js';
import { formsTaken } from './forms.js';
import { oneAddress, pagesRefused } from './origins.js';
import { endsWithItsKey, sharedByAll } from './sharing.js';
import { isPaidOnce, passes, Subject } from './subject.js';
import { startWorld } from './world.js';

t.setTimeout(600_000);

await showCases(t, 'callers', {
  async 37(t, store) {
    const app = await startWorld(t, store);
    const answer = app.simulator.inject({ on: 'submit', when: 'after', do: { hold: true } });
    const caller = new AbortController();
    const lost = Subject.post(app, { key: 'key-1', signal: caller.signal });
    await answer.met;
    caller.abort();
    await t.rejects(lost, { name: 'AbortError' });
    answer.release();

    const again = await Subject.post(app, { key: 'key-1' });
    t.equal(again.status, 202);
    t.equal(again.headers.get('idempotent-replayed'), 'true');
    const [task] = app.simulator.ledger();
    t.match(await again.becomes('pending', 'processing'), { task_id: task?.taskId });
    app.simulator.settle(String(task?.taskId), { end: 'success' });
    await again.becomes('succeeded');
    await passes(app);
    t.equal(app.simulator.calls('submit').length, 2, 'one, and the bystander');
  },

  async 38(t, store) {
    const app = await startWorld(t, store);
    const answer = app.simulator.inject({ on: 'submit', when: 'after', do: { hold: true } });
    // Over connections that are there, so that all are looked at before the first is made.
    const opening = Array.from({ length: 100 }, () => fetch(`${app.url}/livez`));
    await Promise.all((await Promise.all(opening)).map((response) => response.arrayBuffer()));
    const posting = Array.from({ length: 100 }, () => Subject.post(app, { key: 'key-1' }));
    await answer.met;
    answer.release();
    const subjects = await Promise.all(posting);
    t.same(new Set(subjects.map(({ status }) => status)), new Set([202]));
    t.equal(new Set(subjects.map(({ id }) => id)).size, 1, 'one avatar');
    const fresh = subjects.filter(({ headers }) => headers.get('idempotent-replayed') === null);
    t.equal(fresh.length, 1, 'made by one of them');
    await passes(app);
    t.equal(app.simulator.calls('submit').length, 2, 'one POST, and the bystander');
    for (const subject of fresh) await isPaidOnce(t, subject);
  },

  62: sharedByAll,
  63: endsWithItsKey,

  async 64(t, store) {
    const { url } = await startWorld(t, store);
    const readers = await Promise.all([1, 2].map(() => EventReader.open(`${url}/avatars/events`)));
    const made = await makeLarge(url, 128, 64);
    for (const reader of readers) await readAll(t, reader, made);
  },

  65: pagesRefused,
  66: oneAddress,
  69: formsTaken,
});
