import t from 'tap';
import { startApp } from '../support/app.js';
import { sendRaw, URLS } from '../support/requests.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

t.test('the id of a request', async (t) => {
  const app = await startApp(t);
  const idOf = async (path: string, id?: string) => {
    const response = await fetch(app.url + path, id === undefined ? {} : { headers: { 'x-request-id': id } });
    await response.arrayBuffer();
    return response.headers.get('x-request-id');
  };

  await t.test('is the one that was sent', async (t) => {
    for (const id of ['r1', 'a'.repeat(128), '!"#$%&()*+,-./:;<=>?@[]^_`{|}~']) {
      t.equal(await idOf('/livez', id), id);
      t.equal(await idOf('/avatars/av_1', id), id, 'of a problem too');
    }
  });

  await t.test('is a new one where none was sent, each time', async (t) => {
    const [first, second] = [await idOf('/livez'), await idOf('/livez')];
    t.match(first, UUID);
    t.match(second, UUID);
    t.not(first, second);
  });

  await t.test('is a new one where the one sent cannot stand in a log', async (t) => {
    for (const id of ['', 'two words', 'a'.repeat(129), 'é', 'a\tb']) {
      t.match(await idOf('/livez', id), UUID, JSON.stringify(id));
    }
    const twice = await sendRaw(
      app.url,
      'GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Request-Id: a\r\nX-Request-Id: b\r\n\r\n',
    );
    t.match(/x-request-id: (.*)\r\n/i.exec(twice)?.[1], UUID, 'two of them');
  });

  await t.test('stands in every kind of answer, in its body, and in the log', async (t) => {
    const response = await fetch(`${app.url}/avatars`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': 'r-422' },
      body: JSON.stringify({ ...URLS, prompt: '' }),
    });
    t.match(await response.json(), { request_id: 'r-422' });
    for (const path of [
      '/docs',
      '/docs/nothing',
      '/docs/static/index.css',
      '/openapi.json',
      '/readyz',
      '/%zz',
    ]) {
      t.equal(await idOf(path, `of-${path}`), `of-${path}`);
    }
    const logged = app.logLines().map((line) => JSON.parse(line) as Record<string, unknown>);
    t.ok(logged.some(({ reqId }) => reqId === 'r-422'));
  });
});
