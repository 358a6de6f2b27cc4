/** What every store must do. Both adapters run this suite. */

import t, { type Test } from 'tap';
import { accepted } from '../../src/domain/moves.js';
import { type Save, StoreUnavailableError } from '../../src/store/store.js';
import { admissions } from './contract-admit.js';
import { begins } from './contract-begin.js';
import { boundedReads } from './contract-bounds.js';
import { calls } from './contract-calls.js';
import { damagedRecords, type Opened } from './contract-damage.js';
import { feeds } from './contract-feed.js';
import { hits } from './contract-hits.js';
import { holdings } from './contract-holdings.js';
import { lists } from './contract-list.js';
import { preferredClaims } from './contract-preferred.js';
import { quarantine } from './contract-quarantine.js';
import { queueAndSlots } from './contract-queue.js';
import { races } from './contract-races.js';
import { scopes } from './contract-scope.js';
import { shares } from './contract-share.js';
import { spending } from './contract-spend.js';
import { submissions } from './contract-submission.js';
import { turns } from './contract-turns.js';
import {
  avatarOf,
  beginFirst,
  beginNext,
  CALLER,
  claim,
  dueIn,
  dueInTurn,
  idsOf,
  LONG,
  SUBMISSION,
} from './fixtures.js';
import { modelAgrees } from './model.js';

const KEEP: Save = { dueInMs: LONG, submission: 'keep' };

export function storeContract(name: string, open: (t: Test) => Promise<Opened>): void {
  function check(what: string, body: (t: Test, opened: Opened) => Promise<void>): void {
    t.test(`${name}: ${what}`, async (t) => body(t, await open(t)));
  }

  check('an avatar is found as it was created, at version 1', async (t, { store }) => {
    const avatar = avatarOf();
    const created = await store.admit(avatar, [SUBMISSION], dueIn(LONG));
    t.same(created.avatar, avatar);
    t.equal(created.version, 1);
    t.ok(Number.isSafeInteger(created.now));
    t.match(await store.find(CALLER, avatar.id), { avatar, version: 1 });
  });

  check('nobody else finds it, and an unknown id is not found', async (t, { store }) => {
    const { id } = (await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG))).avatar;
    t.equal(await store.find('team-b', id), null);
    t.equal(await store.find(CALLER, 'av_unknown'), null);
    t.equal(await store.submission('av_unknown'), null);
  });

  check('an idempotency key names one avatar of a caller, until that is removed', async (t, { store }) => {
    const idempotency = { key: 'key \u2028 1', fingerprint: 'f' };
    const { avatar } = await store.admit(avatarOf({ idempotency }), [SUBMISSION], dueIn(LONG));
    await beginNext(store);
    const again = avatarOf({ idempotency });
    t.match(await store.admit(again, [SUBMISSION], dueIn(0)), {
      outcome: 'known',
      avatar: { id: avatar.id, status: 'submitting' },
      version: 2,
    });
    t.equal(await store.find(CALLER, again.id), null);
    t.equal(await store.submission(again.id), null);
    t.same(await claim(store, null, 9), []);
    const others = avatarOf({ idempotency, caller: 'team-b' });
    t.match(
      await store.admit(others, [SUBMISSION], dueIn(LONG)),
      { outcome: 'queued', avatar: others },
      "another caller's key is its own",
    );
    t.equal(await store.remove(avatar.id, 2), true);
    t.match(await store.admit(again, [SUBMISSION], dueIn(LONG)), {
      outcome: 'queued',
      avatar: again,
      version: 1,
    });
  });

  check('of 100 avatars created at once with one key, there is one', async (t, { store }) => {
    const idempotency = { key: 'key-1', fingerprint: 'f' };
    const made = await Promise.all(
      many(100, () => store.admit(avatarOf({ idempotency }), [SUBMISSION], dueIn(0))),
    );
    t.equal(new Set(idsOf(made)).size, 1);
    t.equal(
      made.filter(({ outcome }) => outcome === 'queued').length,
      1,
      'the others are told that it is known',
    );
    t.same(idsOf(await claim(store, null, 100)), [made[0]?.avatar.id]);
  });

  check('a dropped submission is gone, the avatar is not', async (t, { store }) => {
    const { avatar, version } = await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG));
    t.match(await store.save(avatar, version, { ...KEEP, submission: 'keep' }), { saved: true });
    t.same(await store.submission(avatar.id), SUBMISSION);
    t.match(await store.save(avatar, version + 1, { ...KEEP, submission: 'drop' }), { saved: true });
    t.equal(await store.submission(avatar.id), null);
    t.match(await store.find(CALLER, avatar.id), { version: 3 });
  });

  check('a claim takes what is due, longest due first, up to its limit', async (t, { store }) => {
    const waiting = await dueInTurn(store, 5);
    await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG));
    const first = await claim(store, null, 2);
    const second = await claim(store, null, 10);
    t.same([first.length, second.length], [2, 3]);
    t.same(idsOf([...first, ...second]), idsOf(waiting));
    t.same(await claim(store, null, 10), []);
    t.same(await claim(store, null, 0), []);
  });

  check('a claim gives a new version, and the one before it is refused', async (t, { store }) => {
    const { avatar, version } = await store.admit(avatarOf(), [SUBMISSION], dueIn(0));
    const [claimed] = await claim(store, null, 1);
    t.match(claimed, { avatar, version: version + 1 });
    const changed = { ...avatar, polls: 1 };
    t.same(await store.save(changed, version, KEEP), { saved: false, reason: 'stale' });
    t.match(await store.save(changed, version + 1, KEEP), { saved: true, version: version + 2 });
  });

  check('a save that changes nothing is refused after a claim like any other', async (t, { store }) => {
    const { avatar, version } = await store.admit(avatarOf(), [SUBMISSION], dueIn(0));
    await claim(store, null, 1);
    t.same(await store.save(avatar, version, KEEP), { saved: false, reason: 'stale' });
    t.match(await store.find(CALLER, avatar.id), { version: 2 });
    t.same(await store.save(avatar, 2, KEEP), { saved: true, version: 3 });
    t.same(await store.save(avatar, 2, KEEP), { saved: true, version: 3 }, 'the same save again');
  });

  check('claims at the same time never share an avatar', async (t, { store }) => {
    const ids = idsOf(await Promise.all(many(40, () => store.admit(avatarOf(), [SUBMISSION], dueIn(0)))));
    const claims = await Promise.all(many(8, () => claim(store, null, 10)));
    const rest = await claim(store, null, 100);
    t.same(idsOf([...claims.flat(), ...rest]).sort(), ids.sort());
  });

  check('of a save that puts off and a claim at the same time, one has it', async (t, { store }) => {
    for (let i = 0; i < 10; i++) {
      const { avatar, version } = await store.admit(avatarOf(), [SUBMISSION], dueIn(0));
      const save = () => store.save({ ...avatar, polls: 1 }, version, KEEP);
      const take = () => claim(store, null, 1);
      const [saved, claimed] = i % 2 === 0 ? await both(save, take) : swap(await both(take, save));
      t.not(saved.saved, claimed.length === 1);
    }
  });

  check('an avatar whose lease lapsed is claimed again', async (t, { store }) => {
    await store.admit(avatarOf(), [SUBMISSION], dueIn(0));
    const versions: number[] = [];
    for (let i = 0; i < 3; i++)
      for (const { version } of await claim(store, null, 1, 0)) versions.push(version);
    t.same(versions, [2, 3, 4]);
  });

  check('a stale save writes nothing', async (t, { store }) => {
    const { avatar } = await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG));
    const begun = await beginNext(store);
    const result = await store.save(accepted(begun.avatar, 'task-1', 0), 1, {
      dueInMs: 0,
      submission: 'drop',
    });
    t.same(result, { saved: false, reason: 'stale' });
    t.match(await store.find(CALLER, avatar.id), {
      avatar: { status: 'submitting', taskId: null },
      version: 2,
    });
    t.same(await store.submission(avatar.id), SUBMISSION);
    t.same(await claim(store, null, 1), []);
    await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG));
    const other = await beginNext(store);
    t.match(
      await store.save(accepted(other.avatar, 'task-1', 0), 2, KEEP),
      { saved: true },
      'the task id is free',
    );
  });

  check('a save of an avatar that is not there is stale', async (t, { store }) => {
    t.same(await store.save(avatarOf(), 1, KEEP), { saved: false, reason: 'stale' });
    t.same(await store.save(avatarOf(), 0, KEEP), { saved: false, reason: 'stale' });
  });

  check('of 100 saves at one version, one wins', async (t, { store }) => {
    const { avatar, version } = await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG));
    const results = await Promise.all(
      Array.from({ length: 100 }, (_, polls) => store.save({ ...avatar, polls }, version, KEEP)),
    );
    t.equal(results.filter(({ saved }) => saved).length, 1);
    const polls = results.findIndex(({ saved }) => saved);
    t.match(await store.find(CALLER, avatar.id), { avatar: { polls }, version: 2 });
  });

  check('the same save again, because its reply was lost, answers as the first', async (t, { store }) => {
    await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG));
    const { avatar, version } = await beginNext(store);
    const save = () => store.save(accepted(avatar, 'task-1', 0), version, { ...KEEP, submission: 'drop' });
    t.same(await save(), { saved: true, version: 3 });
    t.same(await save(), { saved: true, version: 3 });
    t.match(await store.find(CALLER, avatar.id), { avatar: { status: 'pending' }, version: 3 });
    t.equal((await store.outlook(['key-1'])).keys.get('key-1')?.slots, 1);
    const other = { ...accepted(avatar, 'task-1', 0), intent: 'intent-2' };
    t.same(await store.save(other, version, KEEP), { saved: false, reason: 'stale' }, 'beside the document');
    const due = { ...accepted(avatar, 'task-1', 0), polls: 1 };
    await store.save(due, 3, { dueInMs: 0, submission: 'keep' });
    await claim(store, 'key-1', 1);
    t.same(await store.save(due, 3, KEEP), { saved: false, reason: 'stale' }, 'it was claimed');
  });

  check('a task id belongs to one avatar, until that is removed', async (t, { store }) => {
    for (let i = 0; i < 2; i++) await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG));
    const [one, two] = await beginFirst(store, 2);
    if (one === undefined || two === undefined) throw new Error('two were begun');
    const mine = accepted(one.avatar, 'task-1', 0);
    t.match(await store.save(mine, 2, KEEP), { saved: true });
    t.match(await store.save({ ...mine, polls: 1 }, 3, KEEP), { saved: true }, 'its owner keeps it');

    const theirs = accepted(two.avatar, 'task-1', 0);
    const taken = await store.save(theirs, 2, { dueInMs: 0, submission: 'drop' });
    t.same(taken, { saved: false, reason: 'task-taken' });
    t.match(await store.find(CALLER, theirs.id), { avatar: two.avatar, version: 2 });
    t.same(await store.submission(theirs.id), SUBMISSION);
    t.same(await claim(store, null, 1), []);

    t.equal(await store.remove(mine.id, 4), true);
    t.match(await store.save(theirs, 2, KEEP), { saved: true });
  });

  check('a removed avatar leaves nothing; a stale remove takes nothing', async (t, { store }) => {
    const { avatar } = await store.admit(avatarOf(), [SUBMISSION], dueIn(0));
    t.equal(await store.remove(avatar.id, 2), false);
    t.match(await store.find(CALLER, avatar.id), { version: 1 });
    t.equal(await store.remove(avatar.id, 1), true);
    t.equal(await store.remove(avatar.id, 1), false);
    t.equal(await store.find(CALLER, avatar.id), null);
    t.equal(await store.submission(avatar.id), null);
    t.equal((await store.outlook([])).dueInMs, null);
    t.same(await claim(store, null, 1, 0), []);
    t.match(await store.admit(avatar, [SUBMISSION], dueIn(0)), { version: 1 });
  });

  check('says how long until the next is due', async (t, { store }) => {
    t.equal((await store.outlook([])).dueInMs, null);
    const { avatar } = await store.admit(avatarOf(), [SUBMISSION], dueIn(LONG));
    const next = (await store.outlook([])).dueInMs ?? -1;
    t.ok(next > LONG - 60_000 && next <= LONG, `${next}`);
    await store.save(avatar, 1, { dueInMs: -5, submission: 'keep' });
    t.equal((await store.outlook([])).dueInMs, 0);
  });

  admissions(check);
  queueAndSlots(check);
  turns(check);
  begins(check);
  calls(check);
  races(check);
  holdings(check);
  submissions(check);
  preferredClaims(check);
  lists(check);
  boundedReads(check);
  feeds(check);
  scopes(check);
  hits(check);
  damagedRecords(check);
  quarantine(check);
  spending(check);
  shares(check);

  check('a ping is answered; closed twice, the store says that it is closed', async (t, { store }) => {
    await store.ping();
    await store.close();
    await store.close();
    await t.rejects(store.ping(), StoreUnavailableError);
    await t.rejects(store.find(CALLER, 'av_1'), StoreUnavailableError);
    await t.rejects(claim(store, null, 1, 0), StoreUnavailableError);
    await t.rejects(beginFirst(store, 1), StoreUnavailableError);
    await t.rejects(store.admit(avatarOf(), [SUBMISSION], dueIn(0)), StoreUnavailableError);
  });

  t.test(`${name}: any sequence of calls does what a plain model does`, async (t) => {
    await modelAgrees(async () => (await open(t)).store);
    t.pass('no sequence was found that differs');
  });
}

const both = <A, B>(a: () => Promise<A>, b: () => Promise<B>): Promise<[A, B]> => Promise.all([a(), b()]);
const swap = <A, B>([a, b]: [A, B]): [B, A] => [b, a];

function many<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}
