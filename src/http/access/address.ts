import { BlockList, isIP } from 'node:net';
import { LRUCache } from 'lru-cache';

/** IPv4 written as IPv6 is found by it as well. */
const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Asked for each request, and always of the same few. */
const known = new LRUCache<string, boolean>({
  max: 1_000,
  memoMethod(address) {
    const version = isIP(address);
    return version !== 0 && LOOPBACK.check(address, version === 4 ? 'ipv4' : 'ipv6');
  },
});

export function isLoopback(address: string): boolean {
  return known.memo(address);
}

/** The address in an entry of `X-Forwarded-For` or `Forwarded`: `"[::1]:80"`, `192.0.2.1:80` and the like. */
export function withoutPort(node: string): string {
  const bare = node.trim().replace(/^"(.*)"$/, '$1');
  return bare.replace(/^\[(.*)\](?::\d+)?$/, '$1').replace(/^(\d+(?:\.\d+){3}):\d+$/, '$1');
}
