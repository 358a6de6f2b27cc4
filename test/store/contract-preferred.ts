/** The part of the contract on claims that look for some before others. */

import type { Check } from './contract-damage.js';
import { avatarOf, claim, dueIn, dueInTurn, idsOf, LONG, SUBMISSION } from './fixtures.js';

export function preferredClaims(check: Check): void {
  check('a claim takes those it prefers before those that are due longer', async (t, { store }) => {
    await dueInTurn(store, 5);
    await store.admit(avatarOf({ id: 'av_later' }), [SUBMISSION], dueIn(LONG));
    const preferred = new Set(['av_later', 'av_unknown', 'av_3', 'av_2']);
    t.same(idsOf(await claim(store, null, 1, LONG, { preferred })), ['av_2']);
    t.same(idsOf(await claim(store, null, 2, LONG, { preferred })), ['av_3', 'av_0']);
    t.same(idsOf(await claim(store, null, 9, LONG, { preferred: new Set() })), ['av_1', 'av_4']);
  });

  check('a claim that prefers some takes no more than its limit', async (t, { store }) => {
    const due = await dueInTurn(store, 6);
    t.equal((await claim(store, null, 2, LONG, { preferred: new Set(idsOf(due)) })).length, 2);
    t.equal((await claim(store, null, 9, LONG)).length, 4);
  });
}
