/** Stands for Modellix: reads bodies and drops them, takes every submit and knows every task, at once. A process. */

import { createServer } from 'node:http';

let tasks = 0;
const server = createServer((request, response) => {
  request.resume().on('end', () => {
    const data =
      request.method === 'POST'
        ? { status: 'pending', task_id: `task-${++tasks}`, model_id: 'kling-avatar' }
        : { status: 'processing', task_id: 'task-1', model_id: 'kling-avatar' };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ code: 0, message: 'success', data }));
  });
});
server.listen(0, '127.0.0.1');
