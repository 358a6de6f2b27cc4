/** The file in docs/callers.md can be used, and has each member. */

import { readFile } from 'node:fs/promises';
import t from 'tap';
import { readCallers } from '../../src/callers/read.js';

t.test('the example in docs/callers.md', async (t) => {
  const page = await readFile(new URL('../../docs/callers.md', import.meta.url), 'utf8');
  const [, text = ''] = /```yaml\n(.*?)```/s.exec(page) ?? [];
  t.strictSame(
    readCallers(text).callers.map(({ caller }) => [caller.name, caller.admin]),
    [
      ['shop', false],
      ['operations', true],
    ],
  );
});
