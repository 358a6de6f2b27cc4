/** Where calls are short, what somebody waits for is looked at before what nobody does. */

import t from 'tap';
import { STORES, startReplicas } from '../support/replicas.js';
import { createAvatar, readAvatar } from '../support/requests.js';
import { until } from '../support/until.js';

for (const store of STORES) {
  t.test(`${store}: a poll somebody waits on comes first`, async (t) => {
    const modellix = { queryTimeoutMs: 60_000 };
    const { other: app } = await startReplicas(t, store, {
      modellix,
      // Nothing is looked at by itself while the test makes ready.
      gateway: { pollMinMs: 3_000, pollMaxMs: 3_000 },
    });
    const avatars = await Promise.all(Array.from({ length: 30 }, () => createAvatar(app.url)));
    const tasks = await Promise.all(
      avatars.map(({ id }) => until(`${id} has a task`, async () => (await readAvatar(app.url, id)).task_id)),
    );
    t.ok(tasks.length > 0);
  });
}
