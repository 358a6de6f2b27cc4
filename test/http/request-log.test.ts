/** What is logged of a request. */

import t from 'tap';
import { startApp } from '../support/app.js';

t.test('a request is one line, when it was answered', async (t) => {
  const { url, logLines, close } = await startApp(t, { logLevel: 'info' });
  await fetch(`${url}/nowhere?secret=1`, { headers: { 'x-request-id': 'r-1', connection: 'close' } });
  await close();
  const lines = logLines().map((line) => JSON.parse(line) as Record<string, unknown>);
  t.match(
    lines.filter(({ reqId }) => reqId === 'r-1'),
    [
      {
        level: 30,
        msg: 'request completed',
        req: { method: 'GET', path: '/nowhere', remoteAddress: '127.0.0.1' },
        res: { statusCode: 404 },
        responseTime: Number,
      },
    ],
  );
  t.notMatch(logLines().join(), 'secret');
});

t.test('and two for who wants to know', async (t) => {
  const { url, logLines, close } = await startApp(t, { logLevel: 'debug' });
  await fetch(`${url}/openapi.json`, { headers: { 'x-request-id': 'r-2' } });
  await close();
  const lines = logLines().map((line) => JSON.parse(line) as Record<string, unknown>);
  const words = lines.filter(({ reqId }) => reqId === 'r-2').map(({ msg }) => msg);
  t.strictSame(words, ['incoming request', 'request completed']);
});
