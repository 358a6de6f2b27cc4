/** Memory for bodies is shared: one caller's uploads leave room for everybody else's. */

import { once } from 'node:events';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { MAX_BODY_BYTES } from '../../src/http/connection-limits.js';
import { startApp } from '../support/app.js';
import { callersFile } from '../support/callers.js';
import { postJson } from '../support/requests.js';
import { until } from '../support/until.js';
import { heldBytes, served, type Upload, upload } from '../support/uploads.js';

async function startShared(t: Test, maxBytes: number, uploadStallMs = 60_000) {
  const { file, as } = await callersFile(t, { greedy: {}, other: {} });
  const media = { maxBytes, uploadStallMs };
  const { url } = await startApp(t, { callers: { kind: 'file', file }, media });
  return { url, as };
}

t.test('[F62] 12 slow uploads that claim all the memory there is', async (t) => {
  const maxBytes = 256_000_000;
  const { url, as } = await startShared(t, maxBytes, 1_000);
  const key = as('greedy').authorization;
  const claims = Array.from({ length: 11 }, () => MAX_BODY_BYTES);
  const all = [...claims, maxBytes - 11 * MAX_BODY_BYTES];
  const uploads = await Promise.all(all.map((each) => upload(t, url, key, each, 72_000)));
  await until('their bytes', async () => ((await heldBytes(url)) > 12 * 72_000 ? true : null));
  t.ok((await heldBytes(url)) < 12 * 256_000, 'what they claim takes nothing');
  await served(t, url, as('other'));
  for (const { answer } of uploads) t.match(await answer, /^HTTP\/1\.1 408 /, 'and they are given up');
  await until('their memory', async () => ((await heldBytes(url)) === 0 ? true : null));
});

t.test('[F62] uploads that take all their caller may have', async (t) => {
  const { url, as } = await startShared(t, 64_000_000);
  const key = as('greedy').authorization;
  const uploads: Upload[] = [];
  const answers: string[] = [];
  // One behind the other: refused together, they would give back more than the last one lacked.
  while (answers.length === 0) {
    const heldBefore = await heldBytes(url);
    const each = await upload(t, url, key, 20_000_000, 4_000_000);
    uploads.push(each);
    void each.first.then((answer) => answers.push(answer));
    const isSettled = async () => answers.length > 0 || (await heldBytes(url)) >= heldBefore + 4_000_000;
    await until('it to be held or refused', async () => ((await isSettled()) ? true : null));
  }
  for (const answer of answers) t.match(answer, /^HTTP\/1\.1 503 .*retry-after: [1-9].*problem:overloaded/is);
  await served(t, url, as('other'));
  t.ok(uploads.length > 4, 'many were taken');
  t.equal(answers.length, 1, 'and stay so');
  const { status } = await postJson(url, { image: 'AAAA'.repeat(5_000_000), audio_id: 'a' }, as('greedy'));
  t.equal(status, 503, 'its caller alone is refused');
});

t.test('[F62] where no callers are known, an address is one', async (t) => {
  const { url } = await startApp(t, { media: { maxBytes: 64_000_000 }, callers: { kind: 'anyone' } });
  const { hostname, port } = new URL(url);
  const sockets = await Promise.all(
    Array.from({ length: 12 }, async () => {
      const socket = connect({ port: Number(port), host: hostname, localAddress: '127.0.0.7' });
      t.teardown(() => void socket.destroy());
      socket.on('error', () => {});
      await once(socket, 'connect');
      socket.write(
        'POST /avatars HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20000000\r\n\r\n{"image":"',
      );
      socket.write(Buffer.alloc(4_000_000, 'A'));
      return socket;
    }),
  );
  await Promise.race(sockets.map((socket) => once(socket, 'data')));
  await served(t, url, {});
});
