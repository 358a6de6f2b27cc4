/** What the queue is owed by those who come after it, and by a try that is under way. */

import t from 'tap';
import { beginSubmit, unconfirmed } from '../../src/domain/moves.js';
import { resolve } from '../../src/gateway/resolve.js';
import { KeyPool } from '../../src/modellix/keyring.js';
import { NO_LIMITS, type SubmitOutcome } from '../../src/modellix/outcome.js';
import { packSubmission } from '../../src/modellix/submission.js';
import { avatarOf, dueIn, LONG } from '../store/fixtures.js';
import { until } from '../support/until.js';
import { gatewayOn, SENT, STORES } from './one-gateway.js';
import { SETTINGS } from './world.js';

const AT_ONCE = { ...SETTINGS, submitGraceMs: 0 };

for (const [name, open] of Object.entries(STORES)) {
  t.test(`${name}: creations that never cease do not hold up the queue`, async (t) => {
    const admitting: (() => void)[] = [];
    let isHeld = false;
    const { create, worker, asked, ports } = gatewayOn(t, await open(t), {
      change: { settings: AT_ONCE },
      meddle: (method, call) => {
        if (method !== 'admit' || !isHeld) return undefined;
        return new Promise<void>((resolve) => admitting.push(resolve)).then(call);
      },
    });
    await ports.store.admit(avatarOf({ prompt: 'waits' }), packSubmission(SENT), dueIn(LONG));
    isHeld = true;
    // As many as may be submitted at the same time.
    const creations = ['a', 'b', 'c'].map((prompt) => create(prompt));
    await until('they are asked for', async () => admitting.length === 3 || null);
    await worker.pass();
    await until('what waits is submitted', async () => asked.includes('POST') || null);
    for (const admit of admitting) admit();
    await Promise.all(creations);
  });

  t.test(`${name}: [A7] a try that takes its time is the only one, and counts when it fails`, async (t) => {
    const answers: ((outcome: SubmitOutcome) => void)[] = [];
    const { create, worker, ports } = gatewayOn(t, await open(t), {
      change: { settings: AT_ONCE },
      submit: () => new Promise<SubmitOutcome>((resolve) => answers.push(resolve)),
    });
    const fail = () => answers.shift()?.({ kind: 'unknown', reason: 'no answer', status: null });
    const breaker = async () => JSON.parse((await ports.store.document('limits-3')).value ?? '{}').submits;
    for (let failed = 1; failed <= 5; failed += 1) {
      await create(`fails ${failed}`);
      await until('it is submitted', async () => answers.length === 1 || null);
      fail();
      await until('that is known', async () => {
        const { failures = 0, pauses = 0 } = (await breaker()) ?? {};
        return failures === failed || pauses === 1 || null;
      });
    }
    await create('is tried');
    await create('waits');
    await until('the pause is over', async () => {
      await worker.pass();
      return answers.length === 1 || null;
    });
    for (let pass = 1; pass <= 3; pass += 1) await worker.pass();
    t.match(await breaker(), { trying: true, pauses: 1 }, 'it is still under way');
    t.equal(answers.length, 1);
    const { value, revision } = await ports.store.document('limits-3');
    const limits = JSON.parse(value ?? '{}');
    limits.submits.tryAt = Date.now() + 1_000;
    await ports.store.swap('limits-3', revision, JSON.stringify(limits));
    await until('it is kept', async () => {
      await worker.pass();
      return (await breaker()).tryAt > Date.now() + 5_000 || null;
    });
    fail();
    await until('that is known', async () => ((await breaker()).pauses === 2 ? true : null));
    await worker.pass();
    t.equal(answers.length, 0, 'the next one waits for longer');
  });

  t.test(
    `${name}: what is resolved though it was never begun here goes on with the key that has it`,
    async (t) => {
      const { ports } = gatewayOn(t, await open(t), {});
      const keyring = new KeyPool(['one', 'two']);
      const [, two] = keyring.keys();
      const modellix: typeof ports.modellix = {
        ...ports.modellix,
        query: async (key, taskId) => ({
          outcome:
            key.id === two?.id && taskId === 'task-1'
              ? { kind: 'unfinished', status: 'processing' }
              : { kind: 'missing', message: 'not found' },
          limits: NO_LIMITS,
        }),
      };
      const queued = avatarOf({});
      const { version } = await ports.store.admit(queued, packSubmission(SENT), dueIn(LONG));
      const failure = { type: 'outcome-unknown', detail: 'unknown', upstreamStatus: null } as const;
      const cut = { ...beginSubmit(queued, 'none', 'intent'), keyId: null };
      const lost = unconfirmed(cut, failure, { now: Date.now(), retentionMs: LONG });
      t.match(await ports.store.save(lost, version, { dueInMs: LONG, submission: 'drop' }), { saved: true });
      const both = { ...ports, keyring, modellix };
      await t.rejects(resolve(both, queued.caller, queued.id, { taskId: 'task-2' }), {
        ...{ name: 'ProblemError', slug: 'validation' },
      });
      const resolved = await resolve(both, queued.caller, queued.id, { taskId: 'task-1' });
      t.match(resolved, { status: 'pending', keyId: two?.id, taskId: 'task-1' });
    },
  );
}
