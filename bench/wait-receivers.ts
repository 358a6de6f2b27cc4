/** Receivers of callbacks: some answer, some take connections and say nothing, some are not there. A process. */

import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { say } from './probe-messages.js';
import type { WaitSaid, WaitTold } from './wait-messages.js';

const latenessMs: number[] = [];
const known = new Set<string>();
let again = 0;
let inVain = 0;

process.once('disconnect', () => process.exit());
process.on('message', async (told: WaitTold) => {
  if (told.kind === 'receive') {
    const living = await origins(told.living, () => createServer(receive));
    const silent = await origins(told.silent, () => createServer(ignore));
    const refusing = await origins(told.refusing, () => createServer(), 'leave');
    say<WaitSaid>({ kind: 'receiving', origins: [...living, ...silent, ...refusing] });
  }
  if (told.kind === 'tell') say<WaitSaid>({ kind: 'received', received: { latenessMs, again, inVain } });
});

/** Both clocks are this machine's. */
async function receive(request: IncomingMessage, response: { writeHead(code: number): { end(): void } }) {
  const at = Date.now();
  const { timestamp } = JSON.parse(await text(request)) as { readonly timestamp: string };
  response.writeHead(204).end();
  const id = String(request.headers['webhook-id']);
  if (known.has(id)) again += 1;
  else latenessMs.push(at - Date.parse(timestamp));
  known.add(id);
}

function ignore(): void {
  inVain += 1;
}

async function origins(count: number, make: () => Server, leave?: 'leave'): Promise<string[]> {
  const made: string[] = [];
  for (let n = 0; n < count; n++) {
    const server = make().listen(0, '127.0.0.1');
    await once(server, 'listening');
    made.push(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    if (leave !== undefined) server.close();
  }
  return made;
}
