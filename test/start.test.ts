/** How Node is started, which `package.json` and the Dockerfile both say. */

import { readFile } from 'node:fs/promises';
import t from 'tap';

const read = (name: string) => readFile(new URL(`../${name}`, import.meta.url), 'utf8');

t.test('the image starts it with the flags that `npm start` gives', async (t) => {
  const { scripts } = JSON.parse(await read('package.json'));
  const entry = /^ENTRYPOINT (\[.*\])$/m.exec(await read('Dockerfile'))?.[1] ?? '[]';
  const [, , ...command] = JSON.parse(entry) as string[];
  t.match(command, ['node', /^--/], 'there are some');
  t.ok(
    scripts.start.endsWith(`exec ${command.join(' ')}`),
    `${scripts.start} ends with ${command.join(' ')}`,
  );
});
