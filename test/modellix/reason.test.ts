/** What the words of Modellix are about, where something hangs on it. */

import t from 'tap';
import { reasonIn, saysNoRoute } from '../../src/modellix/reason.js';
import { readQueryAnswer, readSubmitAnswer } from '../../src/modellix/wire.js';
import { FAILURE_WORDS } from '../simulator/words.js';

const REASONS = {
  'content-refused': 'content',
  arrears: 'arrears',
  'parallel-limit': 'parallel',
  'task-failed': null,
} as const;

const READING = { now: 0 };
const body = (value: object) => Buffer.from(JSON.stringify(value));
const submitted = (status: number, message: string, code = status) =>
  readSubmitAnswer(status, { 'retry-after': '7' }, body({ code, message, data: {} }), READING).outcome;
const failed = (data: object) => {
  const answer = { code: 0, message: 'success', data };
  return readQueryAnswer(200, {}, body(answer), READING).outcome;
};

t.test('the words of a failed task, wherever they are', async (t) => {
  for (const [problem, words] of Object.entries(FAILURE_WORDS)) {
    const reason = REASONS[problem as keyof typeof REASONS];
    for (const message of words) {
      t.equal(reasonIn(message), reason, message);
      t.match(failed({ status: 'failed', error: message }), { kind: 'failure', message, reason });
      t.match(failed({ status: 'failed', message }), { message, reason });
      const ended = { message, reason: reason ?? 'canceled' };
      t.match(failed({ status: 'cancelled', message }), ended, 'what is said of a cancellation counts more');
    }
  }
  for (const code of [1301, '1301']) {
    t.match(failed({ status: 'failed', error: { code, message: 'no' } }), {
      message: 'no',
      reason: 'content',
    });
  }
  t.match(failed({ status: 'failed', error: { code: 7, message: 'no' } }), { reason: null });
  t.equal(reasonIn(null), null);
});

t.test('the words of a refusal count more than its status', async (t) => {
  const refused = (reason: string | null, limit: string | null = null) => ({
    kind: 'refused',
    reason,
    limit,
  });
  const content = 'Kling error 1301: content security policy';
  for (const status of [400, 403, 422, 429])
    t.match(submitted(status, content), refused('content'), String(status));
  t.match(submitted(400, 'no', 1301), refused('content'), 'a code of its own');
  for (const status of [400, 403, 429]) {
    t.match(submitted(status, 'Kling error 1102: resource pack depleted'), refused('arrears'));
    t.match(submitted(status, 'error 1303, parallel tasks'), {
      ...refused('parallel', 'tasks'),
      retryAfterMs: 7_000,
    });
  }
  t.match(submitted(402, 'no'), refused('arrears'));
  t.match(submitted(401, 'Kling error 1301: content security policy'), refused(null), 'the key comes first');
  t.match(submitted(403, 'Permission denied'), refused(null));
  t.match(submitted(429, 'Rate limit exceeded: 1303 requests'), refused(null, 'calls'));
  t.match(submitted(500, content), { kind: 'unknown' }, 'where a task may exist words say nothing');
});

t.test('a 404 that says there is no such route or model, and others', async (t) => {
  const route = [
    'Not found: no such route',
    'Not found: no such path',
    'Model not found: kling/kling-avatar',
    'Not found: Model kling-avatar does not exist',
    "Model 'kling/kling-avatar' is not supported",
    'Provider not found: kling',
    'Not found: There is no such route',
    'Route not found: POST /api/v1/image-to-video/kling/kling-avatar/async',
    'Cannot POST /api/v1/image-to-video/kling/kling-avatar/async',
    'API endpoint not found (/api/v1/kling/kling-avatar)',
    '404 page not found',
    'Not found: no model image-to-video/kling/kling-avatar',
  ];
  const other = [
    'Not found',
    'Resource not found',
    'Not found: audio_id model-7 does not exist',
    'Audio not found: /route/model',
    'Image not found: https://example.com/no-such-route',
    'Model not found for mode pro',
    'No such model for this image',
    'Not found: the sound file at https://example.com/model.mp3',
    'The file could not be found at its path',
    'Task not found: task-1',
    'API key not found',
    'not found: /api/v1/kling/kling-avatar',
  ];
  for (const words of route) {
    t.ok(saysNoRoute(words), words);
    t.match(submitted(404, words), {
      kind: 'refused',
      status: 404,
      message: words,
      reason: 'no-route',
      limit: null,
    });
    t.match(submitted(400, words), { reason: null }, 'a 404 alone');
    t.match(submitted(404, words, 0), { reason: null }, 'not in Modellix’s envelope');
  }
  for (const words of other) {
    t.notOk(saysNoRoute(words), words);
    t.match(submitted(404, words), { kind: 'refused', reason: null });
  }
  for (const text of ['<html>404 page not found</html>', '{"message":"no Route matched"}', '{"code":404}']) {
    t.match(
      readSubmitAnswer(404, {}, Buffer.from(text), READING).outcome,
      { kind: 'refused', reason: null },
      text,
    );
  }
});
