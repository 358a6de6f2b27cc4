/** The hosts of videos: the public internet, networks that are allowed, and Modellix's own host and port. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { Agent } from 'undici';
import { parseNetworks } from '../../src/outbound/addresses.js';
import { videoConnector } from '../../src/outbound/video-connector.js';

const at = (...addresses: string[]) =>
  addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
const NAMES: Readonly<Record<string, ReturnType<typeof at>>> = {
  'files.test': at('127.0.0.1'),
  'mixed.test': at('93.184.216.34', '127.0.0.1'),
  'metadata.test': at('169.254.169.254'),
};

async function hosted(t: Test, allowed = '') {
  const server = createServer((_request, response) => void response.end('video'));
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const agents: Agent[] = [];
  t.teardown(async () => {
    await Promise.all(agents.map((agent) => agent.destroy()));
    server.close();
  });
  const get = async (url: string, vendorOrigin = 'https://api.modellix.ai') => {
    const connect = videoConnector({
      connectTimeoutMs: 5_000,
      vendorOrigin,
      allowedNetworks: parseNetworks(allowed),
      lookup: async (name) => NAMES[name] ?? [],
    });
    const agent = new Agent({ connect });
    agents.push(agent);
    const { origin } = new URL(url);
    return agent.request({ origin, path: '/', method: 'GET' }).then(
      async ({ statusCode, body }) => [statusCode, await body.text()],
      ({ name, code }) => code ?? name,
    );
  };
  return { port, get, connections: () => connections };
}

t.test('[E19] what is not public is not connected to', async (t) => {
  const { port, get, connections } = await hosted(t);
  for (const host of [
    '127.0.0.1',
    'localhost',
    'files.test',
    'mixed.test',
    'metadata.test',
    '[::1]',
    '10.0.0.1',
  ]) {
    t.equal(await get(`http://${host}:${port}`), 'AddressNotAllowedError', host);
    t.equal(await get(`https://${host}:${port}`), 'AddressNotAllowedError', `TLS, ${host}`);
  }
  t.equal(await get(`http://nowhere.test:${port}`), 'ENOTFOUND');
  t.equal(connections(), 0);
});

t.test("[E19] Modellix's own host is, at its own port and in its own scheme alone", async (t) => {
  const { port, get, connections } = await hosted(t);
  const here = `http://127.0.0.1:${port}`;
  t.same(await get(here, here), [200, 'video']);
  const other = await hosted(t);
  t.equal(await other.get(`http://127.0.0.1:${other.port}`, here), 'AddressNotAllowedError');
  t.equal(await get(here, `https://127.0.0.1:${port}`), 'AddressNotAllowedError');
  t.equal(await get(`http://localhost:${port}`, here), 'AddressNotAllowedError');
  t.same([connections(), other.connections()], [1, 0]);
});

t.test('[E19] networks that are allowed', async (t) => {
  const { port, get } = await hosted(t, '127.0.0.0/8');
  for (const host of ['127.0.0.1', 'files.test']) {
    t.same(await get(`http://${host}:${port}`), [200, 'video'], host);
  }
  t.equal(await get(`http://metadata.test:${port}`), 'AddressNotAllowedError');
});
