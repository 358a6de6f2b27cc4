/**
 * Stands for Modellix: reads bodies and drops them, takes every submit and knows every task, at once. A process. With the
 * argument `finished` every task has succeeded. `GET /count` says how many submits it took.
 */

import { createServer, type IncomingMessage } from 'node:http';

const [, , fate = 'processing'] = process.argv;
const VIDEO = 'https://cdn.example.com/out/2026/11/30/video.mp4?signature=0123456789abcdef0123456789abcdef';

let tasks = 0;

const data = ({ method, url = '' }: IncomingMessage): object => {
  if (method === 'POST')
    return {
      status: 'pending',
      task_id: `task-${String(++tasks).padStart(12, '0')}`,
      model_id: 'kling-avatar',
    };
  const task = { status: 'processing', task_id: url.split('/').at(-1), model_id: 'kling-avatar' };
  if (fate !== 'finished') return task;
  const resource = {
    url: VIDEO,
    type: 'video',
    width: 720,
    height: 1280,
    format: 'mp4',
    role: 'primary',
    duration: 5,
  };
  return {
    ...task,
    status: 'success',
    duration: 3500,
    result: { resources: [resource] },
    billing: { currency: 'USD', amount: '0.2400' },
  };
};

const server = createServer((request, response) => {
  request.resume().on('end', () => {
    response.setHeader('content-type', 'application/json');
    if (request.url === '/count') response.end(String(tasks));
    else response.end(JSON.stringify({ code: 0, message: 'success', data: data(request) }));
  });
});
server.listen(0, '127.0.0.1');
// Ends with the bench.
process.once('disconnect', () => process.exit());
