/** Writes `openapi/openapi.json` from the routes. `npm run openapi`. */

import { writeFile } from 'node:fs/promises';
import { openApiDocument } from './document.js';

await writeFile(new URL('openapi.json', import.meta.url), await openApiDocument());
