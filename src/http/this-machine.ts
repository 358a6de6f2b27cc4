import { BlockList, isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';

/** With the addresses of IPv4 that are written as ones of IPv6. */
const LOOPBACK_6 = new BlockList();
LOOPBACK_6.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK_6.addAddress('::1', 'ipv6');

/**
 * Why a request is not, or not surely, from a program on this machine; `null` where it is. A connection over loopback is
 * not enough: a browser here carries out what pages from elsewhere tell it, and a proxy here hands on what comes from
 * elsewhere.
 */
export function whyElsewhere({ socket, headers }: FastifyRequest): string | null {
  if (!isLoopback(socket.remoteAddress ?? '')) return 'the request came from another address';
  if (!forwardedFor(headers).every(isLoopback)) return 'the request was passed on for another address';
  // A name of the attacker's that leads here (DNS rebinding). HTTP/1.0 needs no Host.
  const { host = '', origin, 'sec-fetch-site': site = 'none' } = headers;
  if (host !== '' && !namesLoopback(host)) return '`Host` names another machine';
  // What a page may send without being asked for leave, a form with files for example (CSRF).
  const isOwn = origin === undefined || originOf(origin) === originOf(`http://${host}`);
  if (!isOwn || (site !== 'same-origin' && site !== 'none'))
    return 'a page of another origin sent the request';
  return null;
}

function isLoopback(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return address.startsWith('127.');
    case 6:
      return LOOPBACK_6.check(address, 'ipv6');
    default:
      return false;
  }
}

/** As a URL has it, so in any spelling of the address. */
function namesLoopback(host: string): boolean {
  if (!URL.canParse(`http://${host}`)) return false;
  const { hostname } = new URL(`http://${host}`);
  return hostname === 'localhost' || isLoopback(hostname.replace(/^\[(.*)\]$/, '$1'));
}

/** Where proxies say that a request came from: de facto headers, and RFC 7239. What cannot be read is kept as it is. */
function forwardedFor(headers: FastifyRequest['headers']): string[] {
  const { forwarded = '', 'x-forwarded-for': list = '', 'x-real-ip': real = '' } = headers;
  if (forwarded === '' && list === '' && real === '') return [];
  const nodes = [...forwarded.matchAll(/(?:^|[;,])\s*for\s*=\s*("[^"]*"|[^;,]*)/gi)].map(
    ([, node = '']) => node,
  );
  const all = [...nodes, ...[list, real].flat().flatMap((value) => value.split(','))];
  return all.map(withoutPort).filter((address) => address !== '');
}

/** `"[::1]:80"`, `127.0.0.1:80` and the like. */
function withoutPort(node: string): string {
  const bare = node.trim().replace(/^"(.*)"$/, '$1');
  return bare.replace(/^\[(.*)\](?::\d+)?$/, '$1').replace(/^(\d+(?:\.\d+){3}):\d+$/, '$1');
}

function originOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).origin : null;
}
