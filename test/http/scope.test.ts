/** Whose avatars a request looks at. */

import type { FastifyRequest } from 'fastify';
import t from 'tap';
import { ANONYMOUS, type Caller, EVERYONE } from '../../src/domain/caller.js';
import { scopeIn } from '../../src/http/access/scope.js';
import { cursorOf, placeOf } from '../../src/http/avatar/cursor.js';
import type { AvatarList } from '../../src/http/schemas/list.js';
import { ProblemError } from '../../src/problems.js';
import { startApp } from '../support/app.js';
import { EventReader } from '../support/events.js';
import { createAvatar, URLS } from '../support/requests.js';

const by = (sender: Caller) => ({ sender }) as FastifyRequest;
const admin = by({ ...ANONYMOUS, name: 'boss', admin: true });
const team = by({ ...ANONYMOUS, name: 'team-a' });
const FORBIDDEN = { type: /:forbidden$/, status: 403 };

t.test('an admin looks at everyone, or at whom it names; another at itself alone', async (t) => {
  t.equal(scopeIn(admin), EVERYONE);
  t.equal(scopeIn(admin, 'team-a'), 'team-a');
  t.equal(scopeIn(admin, 'boss'), 'boss');
  t.equal(scopeIn(team), 'team-a');
  t.equal(scopeIn(team, 'team-a'), 'team-a');
  for (const name of ['team-b', 'boss', 'Team-a']) {
    t.throws(() => scopeIn(team, name), ProblemError);
  }
});

t.test('a cursor belongs to the scope that was listed', async (t) => {
  const filters = { statuses: null, externalId: null, createdAfter: null, createdBefore: null };
  const place = { createdAt: 1, id: 'av_1' };
  for (const scope of [EVERYONE, 'team-a', 'null'] as const) {
    const cursor = cursorOf(scope, filters, place);
    t.same(placeOf(scope, filters, cursor), place);
    for (const other of [EVERYONE, 'team-a', 'null'] as const) {
      if (other !== scope) t.throws(() => placeOf(other, filters, cursor), ProblemError);
    }
  }
});

t.test('over HTTP', async (t) => {
  const { url } = await startApp(t);
  const avatar = await createAvatar(url);
  await createAvatar(url, { ...URLS, external_id: 'second' });
  t.equal(avatar.caller, 'anonymous', 'an avatar says whose it is');

  await t.test('one may name itself', async (t) => {
    const response = await fetch(`${url}/avatars?caller=anonymous&limit=1`);
    t.equal(response.status, 200);
    t.equal(((await response.json()) as AvatarList).data.length, 1);
    const [, next = ''] = /^<(.*)>/.exec(response.headers.get('link') ?? '') ?? [];
    t.match(next, /[?&]caller=anonymous&/, 'the link keeps it');
    t.same(((await (await fetch(url + next)).json()) as AvatarList).data[0]?.id, avatar.id);
    const reader = await EventReader.open(`${url}/avatars/events?caller=anonymous`);
    t.equal(reader.status, 200);
    reader.drop();
  });

  await t.test('and nobody else, whether there is such a one or not', async (t) => {
    for (const path of [
      '/avatars?caller=team-b',
      '/avatars/events?caller=team-b',
      '/avatars?caller=Anonymous',
    ]) {
      const accept = path.includes('events') ? 'text/event-stream' : 'application/json';
      const response = await fetch(url + path, { headers: { accept } });
      t.equal(response.status, 403, path);
      t.match(await response.json(), FORBIDDEN);
    }
  });

  await t.test('what is no name, or not known, is a bad parameter', async (t) => {
    for (const path of ['/avatars?caller=', '/avatars/events?caller=', '/avatars/events?limit=1']) {
      const accept = path.includes('events') ? 'text/event-stream' : 'application/json';
      const response = await fetch(url + path, { headers: { accept } });
      t.equal(response.status, 400, path);
    }
  });
});
