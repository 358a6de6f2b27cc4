/** Writes the reference pages anew. `npm run docs`. */

import { writeFile } from 'node:fs/promises';
import { pages } from './reference.js';

for (const [name, render] of Object.entries(pages)) await writeFile(new URL(name, import.meta.url), render());
