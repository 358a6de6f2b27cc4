/** Writes `openapi/openapi.json` from the routes, and the client's types from that. `npm run openapi`. */

import { writeFile } from 'node:fs/promises';
import { clientTypes } from './client-types.js';
import { openApiDocument } from './document.js';

const document = await openApiDocument();
await writeFile(new URL('openapi.json', import.meta.url), document);
await writeFile(new URL('../src/client/schema.ts', import.meta.url), await clientTypes(document));
