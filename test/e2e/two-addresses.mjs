/** Loaded before a gateway: a name under `.far.test` has two addresses. */

import dns from 'node:dns';

const lookup = dns.lookup;
const ADDRESSES = [
  { address: '::1', family: 6 },
  { address: '127.0.0.1', family: 4 },
];
dns.lookup = (hostname, options, callback) =>
  hostname.endsWith('.far.test')
    ? process.nextTick(callback, null, ADDRESSES)
    : lookup(hostname, options, callback);
