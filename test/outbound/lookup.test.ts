/** Names are asked of a name server without holding a thread: here one of the test's own, over UDP. */

import { createSocket, type RemoteInfo } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { lookupBy } from '../../src/outbound/lookup.js';

const A = 1;
const HEADER_BYTES = 12;

/** Answers questions for IPv4 addresses with one of those given, those for IPv6 with none (RFC 1035 §4). */
async function startNameServer(t: Test, addresses: Readonly<Record<string, string>>) {
  const socket = createSocket('udp4');
  t.teardown(() => new Promise<void>((resolve) => void socket.close(resolve)));
  socket.on('message', (question: Buffer, { port, address }: RemoteInfo) => {
    const end = question.indexOf(0, HEADER_BYTES) + 5;
    const name = nameIn(question);
    const known = addresses[name];
    const isA = question.readUInt16BE(end - 4) === A && known !== undefined;
    const head = Buffer.from(question.subarray(0, HEADER_BYTES));
    head.writeUInt16BE(known === undefined ? 0x8183 : 0x8180, 2); // no such name, or an answer
    head.writeUInt16BE(isA ? 1 : 0, 6);
    head.writeUInt32BE(0, 8); // no other records
    const record = Buffer.from([
      0xc0,
      HEADER_BYTES,
      0,
      A,
      0,
      1,
      0,
      0,
      0,
      60,
      0,
      4,
      ...(known ?? '').split('.').map(Number),
    ]);
    const parts = [head, question.subarray(HEADER_BYTES, end), ...(isA ? [record] : [])];
    socket.send(Buffer.concat(parts), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([`127.0.0.1:${socket.address().port}`]);
  return lookupBy(resolver);
}

function nameIn(question: Buffer): string {
  const labels: string[] = [];
  for (let at = HEADER_BYTES; question[at] !== 0; at += 1 + (question[at] ?? 0)) {
    labels.push(question.toString('latin1', at + 1, at + 1 + (question[at] ?? 0)));
  }
  return labels.join('.');
}

t.test('a name has the addresses that the name server says', async (t) => {
  const lookup = await startNameServer(t, { 'media.example': '203.0.113.7', 'inside.example': '127.0.0.1' });
  t.strictSame(await lookup('media.example'), [{ address: '203.0.113.7', family: 4 }]);
  t.strictSame(await lookup('inside.example'), [{ address: '127.0.0.1', family: 4 }], 'judged by others');
});

t.test('a name that is not there is said not to be', async (t) => {
  const lookup = await startNameServer(t, {});
  await t.rejects(lookup('nowhere.example'), { code: 'ENOTFOUND' });
});

t.test('one kind of address is enough, whichever fails', async (t) => {
  const failing = () => Promise.reject(Object.assign(new Error('no'), { code: 'ESERVFAIL' }));
  const six = lookupBy({ resolve4: failing, resolve6: async () => ['2001:db8::1'] } as unknown as Resolver);
  t.strictSame(await six('a.example'), [{ address: '2001:db8::1', family: 6 }]);
  const four = lookupBy({ resolve4: async () => ['203.0.113.7'], resolve6: failing } as unknown as Resolver);
  t.strictSame(await four('a.example'), [{ address: '203.0.113.7', family: 4 }]);
});
