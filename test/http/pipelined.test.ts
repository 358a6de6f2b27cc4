/** Many requests over one connection, one behind the other. */

import t from 'tap';
import { startApp } from '../support/app.js';
import { createAvatar, sendRaw } from '../support/requests.js';

t.test('[E20] many pipelined requests that are held at once warn of nothing', async (t) => {
  const warnings: Error[] = [];
  const warn = (warning: Error) => warnings.push(warning);
  process.on('warning', warn);
  t.teardown(() => process.off('warning', warn));
  const { url } = await startApp(t);
  const { links } = await createAvatar(url);
  const request = `GET ${links.self} HTTP/1.1\r\nHost: 127.0.0.1\r\nPrefer: wait=1\r\n`;
  const answers = await sendRaw(url, `${`${request}\r\n`.repeat(29)}${request}Connection: close\r\n\r\n`);
  t.equal(answers.match(/HTTP\/1\.1 200/g)?.length, 30);
  t.strictSame(warnings, []);
});
