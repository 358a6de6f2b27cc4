import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** An address, how many of its leading bits count, and whether `!` stood before it, as {@link parseNetworks} reads it. */
export type Network = readonly [address: Address, bits: number, isClosed?: boolean];

const MAPPED: Network = [ipaddr.IPv6.parse('::ffff:0:0'), 96];

/** RFC 6052: where DNS64 puts every host that has IPv4 only. */
const NAT64: Network = [ipaddr.IPv6.parse('64:ff9b::'), 96];

/** All of IPv6 that is given out as global unicast (IANA, "IPv6 Address Space"). */
const GLOBAL_UNICAST: Network = [ipaddr.IPv6.parse('2000::'), 3];

/** Global by number, but Azure answers its machines on it from within: DNS, DHCP, and their settings. */
const AZURE_HOST: Network = [ipaddr.IPv4.parse('168.63.129.16'), 32];

/** `::a.b.c.d`, which ipaddr.js takes for `::ffff:a.b.c.d`; the system does not. */
const COMPATIBLE = /^::\d+\./;

/**
 * Whether the gateway may connect to `address` for somebody else: it is on the public internet, or in one of
 * the `networks`, and in none of those that are closed. What is no IP address may not be connected to.
 *
 * An IPv4 address in the clothes of IPv6 (`::ffff:a.b.c.d`, and NAT64's `64:ff9b::a.b.c.d`) is taken for what
 * it leads to. 6to4, Teredo, ::a.b.c.d and all else that hides an address is refused: nothing is served there.
 */
export function mayConnectTo(address: string, networks: readonly Network[]): boolean {
  const target = parse(address);
  if (target === null) return false;
  const around = networks.filter((network) => isWithin(target, network));
  return (isGlobal(target) || around.length > 0) && !around.some(([, , isClosed]) => isClosed);
}

/** Whether an address is in one of the networks; an IPv4 address in the clothes of IPv6 is taken for what it stands for. */
export function isInNetworks(address: string, networks: readonly Network[]): boolean {
  const plain = parse(address);
  return plain !== null && networks.some((network) => isWithin(plain, network));
}

/**
 * Networks in CIDR notation, separated by commas, those that are closed with `!` before them; none for an empty text.
 *
 * @throws {TypeError} for an entry that is not one, has bits set after its prefix, or could never match since
 *   the addresses in it are taken for IPv4. It says which entry.
 */
export function parseNetworks(text: string): readonly Network[] {
  const entries = text.split(',').map((entry) => entry.trim());
  return entries.filter((entry) => entry !== '').map(parseNetwork);
}

function parseNetwork(entry: string): Network {
  const isClosed = entry.startsWith('!');
  const cidr = isClosed ? entry.slice(1) : entry;
  const [address = '', bits = '', ...rest] = cidr.split('/');
  // isIP knows one spelling of IPv4; ipaddr.js would read 010.0.0.0 as octal.
  const form = isIP(address);
  const plain = form !== 0 && !address.includes('%') && /^\d{1,3}$/.test(bits) && rest.length === 0;
  if (!plain || Number(bits) > (form === 4 ? 32 : 128)) {
    throw new TypeError(`"${entry}" is not a network such as 10.1.0.0/16 or fd00:1::/32`);
  }
  const family = form === 4 ? ipaddr.IPv4 : ipaddr.IPv6;
  const network: Network = [family.parse(address), Number(bits), isClosed];
  const first = family.networkAddressFromCIDR(cidr).toString();
  if (first !== network[0].toString()) {
    throw new TypeError(`"${entry}" has bits set after its prefix; the network is ${first}/${bits}`);
  }
  if (network[1] >= 96 && (isWithin(network[0], MAPPED) || isWithin(network[0], NAT64))) {
    throw new TypeError(`"${entry}" stands for IPv4 addresses; give the IPv4 network`);
  }
  return network;
}

function parse(address: string): Address | null {
  if (isIP(address) === 0 || COMPATIBLE.test(address) || !ipaddr.isValid(address)) return null;
  return unwrap(ipaddr.parse(address));
}

function unwrap(address: Address): Address {
  if (!isWithin(address, MAPPED) && !isWithin(address, NAT64)) return address;
  return new ipaddr.IPv4(address.toByteArray().slice(-4));
}

function isGlobal(address: Address): boolean {
  // ipaddr.js knows IANA's special-purpose registries, but takes what they don't name for unicast.
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' ? !isWithin(address, AZURE_HOST) : isWithin(address, GLOBAL_UNICAST);
}

function isWithin(address: Address, [network, bits]: Network): boolean {
  return address.kind() === network.kind() && address.match(network, bits);
}
