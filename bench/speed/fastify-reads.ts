/**
 * What reads of the gateway are measured beside: Fastify that has a thousand tasks and returns one. A process, with arguments: the
 * port, and the URL of a Redis to get the task from (as text, sent as it is); without, it is an object, written by schema.
 */

import Fastify from 'fastify';
import { Redis } from 'ioredis';

const [, , port, redisUrl] = process.argv;
const TASKS = 1_000;

const taskOf = (id: string) => ({
  id,
  status: 'pending',
  task_id: `task-${id}`,
  created_at: '2026-11-30T10:00:00.000Z',
  updated_at: '2026-11-30T10:00:01.000Z',
  completed_at: null,
  attempts: 1,
  progress: 50,
  mode: 'std',
  prompt: 'Speak calmly, looking into the camera, small hand gestures.',
  cost: 0.24,
  image: { source: 'url', url: 'https://cdn.example.com/assets/portrait-000123.png' },
  audio: { source: 'url', url: 'https://cdn.example.com/assets/speech-000123.mp3' },
  metadata: { tenant: 't_0001', request_id: 'req_0123456789abcdef', region: 'eu-1', note: 'x'.repeat(58) },
  links: { self: `/avatars/${id}`, events: `/avatars/${id}/events`, cancel: `/avatars/${id}/cancel` },
});

const text = { type: 'string' };
const strings = (...names: string[]) => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, text])),
});
const taskSchema = {
  type: 'object',
  properties: {
    ...strings('id', 'status', 'task_id', 'created_at', 'updated_at', 'mode', 'prompt').properties,
    completed_at: { type: ['string', 'null'] },
    attempts: { type: 'integer' },
    progress: { type: 'integer' },
    cost: { type: 'number' },
    image: strings('source', 'url'),
    audio: strings('source', 'url'),
    metadata: strings('tenant', 'request_id', 'region', 'note'),
    links: strings('self', 'events', 'cancel'),
  },
};

const tasks = new Map(Array.from({ length: TASKS }, (_, n) => [`task-${n}`, taskOf(`task-${n}`)]));
const app = Fastify();
interface Params {
  readonly Params: { readonly id: string };
}
if (redisUrl === undefined) {
  app.get<Params>('/avatars/:id', { schema: { response: { 200: taskSchema } } }, async ({ params }) =>
    tasks.get(params.id),
  );
} else {
  const redis = new Redis(redisUrl);
  await redis.mset(new Map(Array.from(tasks, ([id, task]) => [id, JSON.stringify(task)])));
  app.get<Params>('/avatars/:id', async ({ params }, reply) => {
    reply.type('application/json; charset=utf-8');
    return redis.get(params.id);
  });
}
await app.listen({ port: Number(port), host: '127.0.0.1' });
process.once('disconnect', () => process.exit());
