import { BlockList, isIP } from 'node:net';

/** IPv4 written as IPv6 is found by it as well. */
const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

export function isLoopback(address: string): boolean {
  const version = isIP(address);
  return version !== 0 && LOOPBACK.check(address, version === 4 ? 'ipv4' : 'ipv6');
}

/** The address in an entry of `X-Forwarded-For` or `Forwarded`: `"[::1]:80"`, `192.0.2.1:80` and the like. */
export function withoutPort(node: string): string {
  const bare = node.trim().replace(/^"(.*)"$/, '$1');
  return bare.replace(/^\[(.*)\](?::\d+)?$/, '$1').replace(/^(\d+(?:\.\d+){3}):\d+$/, '$1');
}

/** What an address is counted as: itself, or of IPv6 the first 64 bits, since one host has all addresses behind them. */
export function networkOf(address: string): string {
  const [plain = ''] = address.replace(/^::ffff:(?=\d+\.)/i, '').split('%', 1);
  if (isIP(plain) !== 6) return plain.toLowerCase();
  // A URL writes groups without leading zeros, and the longest run of zeros as `::`.
  const [head = '', tail] = new URL(`http://[${plain}]`).hostname.slice(1, -1).split('::');
  const [first, last] = [head, tail ?? ''].map((half) => (half === '' ? [] : half.split(':')));
  const zeros = Array(8 - (first?.length ?? 0) - (last?.length ?? 0)).fill('0');
  return `${[...(first ?? []), ...zeros, ...(last ?? [])].slice(0, 4).join(':')}::/64`;
}
