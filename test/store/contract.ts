/** What every store must do. Both adapters run this suite. */

import t, { type Test } from 'tap';
import { accepted, beginSubmit } from '../../src/domain/moves.js';
import { AvatarExistsError, type Save, StoreUnavailableError } from '../../src/store/store.js';
import { damagedRecords, type Opened } from './contract-damage.js';
import { feeds } from './contract-feed.js';
import { hits } from './contract-hits.js';
import { lists } from './contract-list.js';
import { preferredClaims } from './contract-preferred.js';
import { queueAndSlots } from './contract-queue.js';
import { scopes } from './contract-scope.js';
import { setAsideReleases } from './contract-set-aside.js';
import { shares } from './contract-share.js';
import { spending } from './contract-spend.js';
import { standing } from './contract-standing.js';
import { submissions } from './contract-submission.js';
import { avatarOf, CALLER, dueIn, dueInTurn, idsOf, LONG, SUBMISSION } from './fixtures.js';
import { modelAgrees } from './model.js';

const KEEP: Save = { dueInMs: LONG, submission: 'keep' };

export function storeContract(name: string, open: (t: Test) => Promise<Opened>): void {
  function check(what: string, body: (t: Test, opened: Opened) => Promise<void>): void {
    t.test(`${name}: ${what}`, async (t) => body(t, await open(t)));
  }

  check('an avatar is found as it was created, at version 1', async (t, { store }) => {
    const avatar = avatarOf();
    const created = await store.create(avatar, [SUBMISSION], dueIn(LONG));
    t.same(created.avatar, avatar);
    t.equal(created.version, 1);
    t.ok(Number.isSafeInteger(created.now));
    t.match(await store.find(CALLER, avatar.id), { avatar, version: 1 });
  });

  check('nobody else finds it, and an unknown id is not found', async (t, { store }) => {
    const { id } = (await store.create(avatarOf(), [SUBMISSION], dueIn(LONG))).avatar;
    t.equal(await store.find('team-b', id), null);
    t.equal(await store.find(CALLER, 'av_unknown'), null);
    t.equal(await store.submission('av_unknown'), null);
  });

  check('an id is created once', async (t, { store }) => {
    const avatar = avatarOf();
    await store.create(avatar, [SUBMISSION], dueIn(LONG));
    await t.rejects(
      store.create({ ...avatar, prompt: 'another' }, [SUBMISSION], dueIn(0)),
      AvatarExistsError,
    );
    await t.rejects(store.create(avatar, [SUBMISSION], dueIn(0)), AvatarExistsError);
    t.match(await store.find(CALLER, avatar.id), { avatar });
    t.same(await store.claim(null, 10, LONG), []);
  });

  check('an idempotency key names one avatar of a caller, until that is removed', async (t, { store }) => {
    const idempotency = { key: 'key \u2028 1', fingerprint: 'f' };
    const { avatar } = await store.create(avatarOf({ idempotency }), [SUBMISSION], dueIn(LONG));
    await store.save(beginSubmit(avatar, 'key-1', 'intent-1'), 1, KEEP);
    const again = avatarOf({ idempotency });
    t.match(await store.create(again, [SUBMISSION], dueIn(0)), {
      avatar: { id: avatar.id, status: 'submitting' },
      version: 2,
    });
    t.equal(await store.find(CALLER, again.id), null);
    t.equal(await store.submission(again.id), null);
    t.same(await store.claim(null, 9, LONG), []);
    const others = avatarOf({ idempotency, caller: 'team-b' });
    t.match(
      await store.create(others, [SUBMISSION], dueIn(LONG)),
      { avatar: others },
      "another caller's key is its own",
    );
    t.equal(await store.remove(avatar.id, 2), true);
    t.match(await store.create(again, [SUBMISSION], dueIn(LONG)), { avatar: again, version: 1 });
  });

  check('of 100 avatars created at once with one key, there is one', async (t, { store }) => {
    const idempotency = { key: 'key-1', fingerprint: 'f' };
    const made = await Promise.all(
      many(100, () => store.create(avatarOf({ idempotency }), [SUBMISSION], dueIn(0))),
    );
    t.equal(new Set(idsOf(made)).size, 1);
    t.same(idsOf(await store.claim(null, 100, LONG)), [made[0]?.avatar.id]);
  });

  check('a dropped submission is gone, the avatar is not', async (t, { store }) => {
    const { avatar, version } = await store.create(avatarOf(), [SUBMISSION], dueIn(LONG));
    t.match(await store.save(avatar, version, { ...KEEP, submission: 'keep' }), { saved: true });
    t.same(await store.submission(avatar.id), SUBMISSION);
    t.match(await store.save(avatar, version + 1, { ...KEEP, submission: 'drop' }), { saved: true });
    t.equal(await store.submission(avatar.id), null);
    t.match(await store.find(CALLER, avatar.id), { version: 3 });
  });

  check('a claim takes what is due, longest due first, up to its limit', async (t, { store }) => {
    const waiting = await dueInTurn(store, 5);
    await store.create(avatarOf(), [SUBMISSION], dueIn(LONG));
    const first = await store.claim(null, 2, LONG);
    const second = await store.claim(null, 10, LONG);
    t.same([first.length, second.length], [2, 3]);
    t.same(idsOf([...first, ...second]), idsOf(waiting));
    t.same(await store.claim(null, 10, LONG), []);
    t.same(await store.claim(null, 0, LONG), []);
  });

  check('a claim gives a new version, and the one before it is refused', async (t, { store }) => {
    const { avatar, version } = await store.create(avatarOf(), [SUBMISSION], dueIn(0));
    const [claimed] = await store.claim(null, 1, LONG);
    t.match(claimed, { avatar, version: version + 1 });
    t.same(await store.save(avatar, version, KEEP), { saved: false, reason: 'stale' });
    t.match(await store.save(avatar, version + 1, KEEP), { saved: true, version: version + 2 });
  });

  check('claims at the same time never share an avatar', async (t, { store }) => {
    const ids = idsOf(await Promise.all(many(40, () => store.create(avatarOf(), [SUBMISSION], dueIn(0)))));
    const claims = await Promise.all(many(8, () => store.claim(null, 10, LONG)));
    const rest = await store.claim(null, 100, LONG);
    t.same(idsOf([...claims.flat(), ...rest]).sort(), ids.sort());
  });

  check('of a save that puts off and a claim at the same time, one has it', async (t, { store }) => {
    for (let i = 0; i < 10; i++) {
      const { avatar, version } = await store.create(avatarOf(), [SUBMISSION], dueIn(0));
      const save = () => store.save(avatar, version, KEEP);
      const claim = () => store.claim(null, 1, LONG);
      const [saved, claimed] = i % 2 === 0 ? await both(save, claim) : swap(await both(claim, save));
      t.not(saved.saved, claimed.length === 1);
    }
  });

  check('an avatar whose lease lapsed is claimed again', async (t, { store }) => {
    await store.create(avatarOf(), [SUBMISSION], dueIn(0));
    const versions: number[] = [];
    for (let i = 0; i < 3; i++)
      for (const { version } of await store.claim(null, 1, 0)) versions.push(version);
    t.same(versions, [2, 3, 4]);
  });

  check('a stale save writes nothing', async (t, { store }) => {
    const { avatar } = await store.create(avatarOf(), [SUBMISSION], dueIn(LONG));
    await store.save(beginSubmit(avatar, 'key-1', 'intent-1'), 1, KEEP);
    const stale = accepted(beginSubmit(avatar, 'key-1', 'intent-1'), 'task-1', 0);
    const result = await store.save(stale, 1, { dueInMs: 0, submission: 'drop' });
    t.same(result, { saved: false, reason: 'stale' });
    t.match(await store.find(CALLER, avatar.id), {
      avatar: { status: 'submitting', taskId: null },
      version: 2,
    });
    t.same(await store.submission(avatar.id), SUBMISSION);
    t.same(await store.claim(null, 1, LONG), []);
    const { avatar: other } = await store.create(
      avatarOf({ status: 'submitting' }),
      [SUBMISSION],
      dueIn(LONG),
    );
    t.match(await store.save(accepted(other, 'task-1', 0), 1, KEEP), { saved: true }, 'the task id is free');
  });

  check('a save of an avatar that is not there is stale', async (t, { store }) => {
    t.same(await store.save(avatarOf(), 1, KEEP), { saved: false, reason: 'stale' });
    t.same(await store.save(avatarOf(), 0, KEEP), { saved: false, reason: 'stale' });
  });

  check('of 100 equal saves at one version, one wins', async (t, { store }) => {
    const { avatar, version } = await store.create(avatarOf(), [SUBMISSION], dueIn(LONG));
    const results = await Promise.all(
      many(100, () => store.save(beginSubmit(avatar, 'key-1', 'intent-1'), version, KEEP)),
    );
    t.equal(results.filter(({ saved }) => saved).length, 1);
    t.match(await store.find(CALLER, avatar.id), { version: 2 });
  });

  check('a task id belongs to one avatar, until that is removed', async (t, { store }) => {
    const [one, two] = [avatarOf({ status: 'submitting' }), avatarOf({ status: 'submitting' })];
    for (const avatar of [one, two]) await store.create(avatar, [SUBMISSION], dueIn(LONG));
    const mine = accepted(one, 'task-1', 0);
    t.match(await store.save(mine, 1, KEEP), { saved: true });
    t.match(await store.save(mine, 2, KEEP), { saved: true }, 'its owner keeps it');

    const taken = await store.save(accepted(two, 'task-1', 0), 1, { dueInMs: 0, submission: 'drop' });
    t.same(taken, { saved: false, reason: 'task-taken' });
    t.match(await store.find(CALLER, two.id), { avatar: two, version: 1 });
    t.same(await store.submission(two.id), SUBMISSION);
    t.same(await store.claim(null, 1, LONG), []);

    t.equal(await store.remove(one.id, 3), true);
    t.match(await store.save(accepted(two, 'task-1', 0), 1, KEEP), { saved: true });
  });

  check('a removed avatar leaves nothing; a stale remove takes nothing', async (t, { store }) => {
    const { avatar } = await store.create(avatarOf(), [SUBMISSION], dueIn(0));
    t.equal(await store.remove(avatar.id, 2), false);
    t.match(await store.find(CALLER, avatar.id), { version: 1 });
    t.equal(await store.remove(avatar.id, 1), true);
    t.equal(await store.remove(avatar.id, 1), false);
    t.equal(await store.find(CALLER, avatar.id), null);
    t.equal(await store.submission(avatar.id), null);
    t.equal((await store.outlook([])).dueInMs, null);
    t.same(await store.claim(null, 1, 0), []);
    t.match(await store.create(avatar, [SUBMISSION], dueIn(0)), { version: 1 });
  });

  check('says how long until the next is due', async (t, { store }) => {
    t.equal((await store.outlook([])).dueInMs, null);
    const { avatar } = await store.create(avatarOf(), [SUBMISSION], dueIn(LONG));
    const next = (await store.outlook([])).dueInMs ?? -1;
    t.ok(next > LONG - 60_000 && next <= LONG, `${next}`);
    await store.save(avatar, 1, { dueInMs: -5, submission: 'keep' });
    t.equal((await store.outlook([])).dueInMs, 0);
  });

  queueAndSlots(check);
  standing(check);
  submissions(check);
  preferredClaims(check);
  lists(check);
  feeds(check);
  scopes(check);
  hits(check);
  damagedRecords(check);
  setAsideReleases(check);
  spending(check);
  shares(check);

  check('a ping is answered; closed twice, the store says that it is closed', async (t, { store }) => {
    await store.ping();
    await store.close();
    await store.close();
    await t.rejects(store.ping(), StoreUnavailableError);
    await t.rejects(store.find(CALLER, 'av_1'), StoreUnavailableError);
    await t.rejects(store.claim(null, 1, 0), StoreUnavailableError);
    await t.rejects(store.create(avatarOf(), [SUBMISSION], dueIn(0)), StoreUnavailableError);
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
