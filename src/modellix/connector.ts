/** How connections to Modellix and its video host are made: directly, or by a tunnel through a proxy. */

import type { Socket } from 'node:net';
import { buildConnector, Client } from 'undici';
import type { ForwardProxy, ProxyFor } from './proxies.js';
import { ProxyError, wordsFor } from './words.js';

/**
 * undici's connector, with a tunnel (CONNECT, RFC 9110 9.3.6) in place of the TCP connection where a proxy is on the way, for
 * `http:` too. So a proxy that is away or refuses is a connection that was not made, and no byte of a request has left.
 * @param timeoutMs for each: the tunnel, and TCP and TLS
 * @param unproxied connects where no proxy is on the way; like undici where not given
 */
export function connectorBy(
  proxyFor: ProxyFor,
  timeoutMs: number,
  unproxied?: buildConnector.connector,
): buildConnector.connector {
  const direct = buildConnector({ timeout: timeoutMs, allowH2: false });
  return (to, callback) => {
    const proxy = proxyFor(to);
    if (proxy === null) return (unproxied ?? direct)(to, callback);
    tunnel(proxy, to, direct, timeoutMs).then(
      (socket) => {
        if (to.protocol === 'https:') direct({ ...to, httpSocket: socket }, callback);
        else callback(null, socket);
      },
      (error: ProxyError) => callback(error, null),
    );
  };
}

/** @throws {ProxyError} */
async function tunnel(
  { origin, authorization }: ForwardProxy,
  { protocol, host, hostname, port }: buildConnector.Options,
  connect: buildConnector.connector,
  timeoutMs: number,
): Promise<Socket> {
  const client = singleConnection(new Client(origin, { connect }));
  const path = port === '' ? `${host ?? hostname}:${protocol === 'https:' ? 443 : 80}` : (host ?? hostname);
  try {
    const { statusCode, socket } = await client.connect({
      path,
      headers: { host: path, ...(authorization !== null && { 'proxy-authorization': authorization }) },
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (statusCode >= 200 && statusCode < 300) return socket as Socket;
    socket.on('error', () => {}).destroy();
    throw new ProxyError(`the proxy answered ${statusCode}`);
  } catch (error) {
    if (error instanceof ProxyError) throw error;
    // Without undici's code: by some of them it would connect again.
    throw new ProxyError(`the proxy cannot be used: ${wordsFor(error)}`);
  } finally {
    void client.destroy();
  }
}

/**
 * undici connects again by itself after some errors (`onHttpSocketClose` and `handleConnectError` in its lib/dispatcher): with
 * such a client that ends at the first.
 */
export function singleConnection(client: Client): Client {
  client.once('disconnect', (_origin, _targets, error) => void client.destroy(error));
  client.once('connectionError', (_origin, _targets, error) => void client.destroy(error));
  return client;
}
