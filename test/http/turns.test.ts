/** Connections that come all at once. */

import { connect } from 'node:net';
import t from 'tap';
import { startApp } from '../support/app.js';

t.test('many connections at once, some of which are gone at once', async (t) => {
  const { url } = await startApp(t);
  const { port, hostname } = new URL(url);
  const answers = Array.from({ length: 300 }, async (_, n) => {
    const socket = connect(Number(port), hostname).on('error', () => undefined);
    socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    if (n % 3 === 0) return void socket.once('connect', () => socket.resetAndDestroy());
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    return text;
  });
  const texts = (await Promise.all(answers)).filter((text) => text !== undefined);
  t.equal(texts.filter((text) => text.startsWith('HTTP/1.1 200 ')).length, 200);
});
