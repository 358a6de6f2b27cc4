/** A proxy that takes a path away before it passes a request on, as an ingress does. */

import { createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

/** `url` has the path; `pass` says where requests go. Ends with the test. */
export async function pathRelay(t: Test, path: string) {
  let target = '';
  const relay = createServer((request, response) => {
    const { method, headers, url = '' } = request;
    // What does not begin with the path is somebody else's, who has nothing of the kind.
    const rest = url.startsWith(`${path}/`) ? url.slice(path.length) : '/not-below-the-path';
    const onward = forward(target + rest, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    relay.close();
    relay.closeAllConnections();
  });
  const { port } = relay.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${path}`,
    pass(to: string) {
      target = to;
    },
  };
}
