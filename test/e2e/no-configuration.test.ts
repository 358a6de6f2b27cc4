/** Started with nothing but the key to Modellix, the gateway is there for its own machine alone. */

import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import t from 'tap';
import { gatewayFor, KEY, simulatorFor, tempDir } from './support.js';

async function failsWith(host: string, port: number): Promise<string> {
  const socket = connect(port, host);
  try {
    return await Promise.race([
      once(socket, 'connect').then(() => 'connected'),
      once(socket, 'error').then(([error]) => (error as NodeJS.ErrnoException).code ?? 'failed'),
    ]).catch((error: NodeJS.ErrnoException) => error.code ?? 'failed');
  } finally {
    socket.destroy();
  }
}

t.test('no other address of the machine takes a connection', async (t) => {
  const simulator = await simulatorFor(t);
  const settings = { MODELLIX_API_KEY: KEY, MODELLIX_BASE_URL: simulator.url, DATA_DIR: await tempDir(t) };
  const { url } = await gatewayFor(t, settings);
  const port = Number(new URL(url).port);
  t.equal(await failsWith('127.0.0.1', port), 'connected', 'loopback does');

  const others = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter(({ internal }) => !internal);
  // A link-local address has no meaning without its interface.
  const reachable = others.filter(({ address }) => !/^fe80:/i.test(address));
  for (const { address } of reachable) t.equal(await failsWith(address, port), 'ECONNREFUSED', address);
  if (reachable.length === 0) t.comment('this machine has no address but loopback to try');
  t.strictSame(simulator.calls('submit'), [], 'Modellix heard of nothing');
});
