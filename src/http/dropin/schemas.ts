import { type Static, Type } from 'typebox';
import { PROBLEMS, ProblemError } from '../../problems.js';
import { CreateAvatar, createHeaders, oneSpeech } from '../schemas/avatar.js';
import { answer, commonHeaders, described, retryAfter } from '../schemas/responses.js';
import { AnyInteger, AnyString, OptionalString, Word } from '../schemas/types.js';
import { refusalOf, refusalsWith } from './refusals.js';

const { image, sound_file, audio_id, prompt, mode } = CreateAvatar.properties;

export const SubmitTask = Type.Object(
  { image, sound_file, audio_id, prompt, mode },
  {
    title: 'SubmitTask',
    ...oneSpeech,
    description:
      'As Modellix takes it. Exactly one of `sound_file` and `audio_id`; a member that is `null` is as good as not sent.',
    examples: [{ image: 'https://example.com/avatar.jpg', audio_id: 'audio-abc123' }],
  },
);
export type SubmitTask = Static<typeof SubmitTask>;

/** `Prefer` has no meaning here: Modellix answers a submit at once. */
export const submitHeaders = Type.Object({
  'Idempotency-Key': createHeaders.properties['Idempotency-Key'],
  'X-Webhook-URL': OptionalString(
    'Who is told of the end, as by Modellix, and signed like every callback. What may be called is as for `callback_url`.',
  ),
});

const head = {
  status: Word(
    ['pending', 'processing', 'success', 'failed'],
    '`pending`: queued here, on its way, or waiting at Modellix. `failed` also where the task was canceled or timed out, and where it is not known whether Modellix took it: `error` says which.',
  ),
  task_id: AnyString("The avatar's id: `/avatars/{task_id}` is the same thing."),
  model_id: Type.String(),
};

const SubmittedTask = Type.Object({
  ...head,
  get_result: Type.Object({ method: Type.Literal('GET'), url: Type.String() }),
});
export type SubmittedTask = Static<typeof SubmittedTask>;

const Task = Type.Object({
  ...head,
  error: OptionalString('Why it failed.'),
  message: OptionalString('The same as `error`.'),
  duration: Type.Optional(AnyInteger('From the submit to the end, in ms.')),
  result: Type.Optional(
    Type.Object({
      resources: Type.Array(
        Type.Object({
          url: AnyString(
            'Where this gateway serves the bytes, without a key, for an hour; a later query has another URL.',
          ),
          type: Type.Literal('video'),
          role: Type.Literal('primary'),
          format: Type.String(),
          width: Type.Optional(Type.Integer()),
          height: Type.Optional(Type.Integer()),
          size: Type.Optional(AnyInteger('Bytes.')),
        }),
      ),
    }),
  ),
  result_expires_at: Type.Optional(AnyInteger('When the video is gone, in ms since the epoch.')),
});
export type Task = Static<typeof Task>;

export const TaskParams = Type.Object({ id: AnyString('The `task_id` of the submit.') });

/** Nothing in it is refused: `wait` may come in any form, even twice. */
export const TaskQuery = Type.Object({
  wait: Type.Optional(Type.Unknown({ description: '`true`: the answer is held until the task has ended.' })),
});

const rateHeaders = {
  ...commonHeaders,
  'X-RateLimit-Limit': AnyInteger('Requests a minute: as `RateLimit-Policy` says.'),
  'X-RateLimit-Remaining': AnyInteger('How many are left.'),
  'X-RateLimit-Reset': AnyInteger('When they are counted anew, in Unix seconds.'),
};

const success = (description: string, data: Type.TSchema, headers = {}) => {
  const schema = Type.Object({ code: Type.Literal(0), message: Type.Literal('success'), data });
  return answer(description, { 'application/json': { schema } }, { ...rateHeaders, ...headers });
};

export const submittedResponse = success('The task was taken.', SubmittedTask, {
  'Idempotent-Replayed': Type.Literal('true', {
    description: 'Sent where the `Idempotency-Key` had made the task before; nothing was made now.',
  }),
});
export const taskResponse = success('The task as it is now.', Task);
export const validResponse = success('Whether you may.', Type.Object({ is_valid: Type.Boolean() }));
export const balanceResponse = success(
  'What is left.',
  Type.Object({ balance: Type.Number({ description: 'US dollars.' }) }),
);
const Model = Type.Object({
  slug: Type.String(),
  type: Type.String(),
  description: Type.String(),
  docs_url: Type.String(),
});
export const modelsResponse = answer(
  'The one model that is served.',
  { 'application/json': { schema: Type.Object({ models: Type.Array(Model) }) } },
  rateHeaders,
);

const Refusal = Type.Object({
  code: AnyInteger('The HTTP status.'),
  message: AnyString('`<Category>: <detail>`'),
  data: Type.Object({}),
});

/** What Modellix itself refused has its own status, whichever that is. */
const ALSO_MODELLIX: ReadonlySet<number> = new Set([400, 401, 402, 403, 404, 413, 415, 422]);

/** The refusals with these statuses, as responses of a route. */
export function refusals(...statuses: number[]): Record<number, object> {
  return Object.fromEntries(statuses.map((status) => [status, refusalResponse(status)]));
}

function refusalResponse(status: number) {
  const { description, examples } = described(
    refusalsWith(status),
    (slug) => refusalOf(new ProblemError(slug, PROBLEMS[slug].title)).body,
  );
  const handedOn = ALSO_MODELLIX.has(status) ? '\n\nWhat Modellix said, in its words.' : '';
  const headers = { ...rateHeaders, ...((status === 429 || status === 503) && retryAfter) };
  return answer(description + handedOn, { 'application/json': { schema: Refusal, examples } }, headers);
}
