import { readFile } from 'node:fs/promises';
import t from 'tap';
import { pages } from '../docs/reference.js';

for (const [name, render] of Object.entries(pages)) {
  t.test(`docs/${name} is what the code says (npm run docs)`, async (t) => {
    t.equal(await readFile(new URL(`../docs/${name}`, import.meta.url), 'utf8'), render());
  });
}
