/** A process that fetches the URL given and prints what came of it; `tls.test` means 127.0.0.2, as `other.test` does. */

import { parseNetworks } from '../../src/outbound/addresses.js';
import { createMediaFetcher } from '../../src/outbound/fetcher.js';
import { ALLOWED, namesOf } from './support.js';

const fetcher = createMediaFetcher({
  timeoutMs: 20_000,
  allowedNetworks: parseNetworks(`${ALLOWED}/32`),
  userAgent: 'avatar-gateway/test',
  lookup: namesOf({ 'tls.test': [ALLOWED], 'other.test': [ALLOWED], 'inside.test': ['127.0.0.1'] }),
});
const answer = await fetcher.fetch(process.argv[2] ?? '', 1000);
console.log(JSON.stringify(answer.kind === 'bytes' ? answer.bytes.toString() : answer));
await fetcher.close();
