import { type Static, Type } from 'typebox';
import { STATUSES } from '../../domain/avatar.js';
import { avatarExample, checkExample, example } from './examples.js';
import {
  AnyString,
  jsonContent,
  Nullable,
  NullableTime,
  OptionalString,
  OptionalText,
  Text,
  Time,
  Word,
} from './types.js';

/** The longest that an avatar may wait in the queue, by any setting, in seconds. */
const MAX_START_WITHIN = 30 * 86_400;

const mode = Word(['std', 'pro'], '`pro` costs more and takes longer.');

/** Of each schema of a request: exactly one of the two is given. */
export const oneSpeech = {
  additionalProperties: false,
  oneOf: [{ required: ['sound_file'] }, { required: ['audio_id'] }],
};

export const CreateAvatar = Type.Object(
  {
    image: Type.String({
      minLength: 1,
      description:
        'The portrait: an http(s) URL, bare base64, or a `data:` URI. JPEG or PNG, at most 10 MB, both sides at least 300 px, aspect ratio from 1:2.5 to 2.5:1.',
    }),
    sound_file: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'The speech: an http(s) URL, bare base64, or a `data:` URI. mp3, wav, m4a or aac, at most 5 MB, 2 to 300 s. Give either this or `audio_id`.',
      }),
    ),
    audio_id: OptionalText(
      256,
      "Id of speech made with Modellix's TTS in the last 30 days. Give either this or `sound_file`.",
    ),
    prompt: OptionalText(2500, 'Actions, emotions, camera; 1 to 2500 characters.'),
    mode: Type.Optional({ ...mode, default: 'std' }),
    external_id: OptionalText(255, 'Your own name for it; not interpreted.'),
    callback_url: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'Where the gateway POSTs the avatar once it has ended: an http(s) URL on the public internet, without user info, at most 8192 characters. The message is signed; see docs/callbacks.md.',
      }),
    ),
    start_within_seconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_START_WITHIN,
        description:
          'How long it may wait to be submitted to Modellix. What was not submitted by then ends as `canceled`, with the problem `not-started-in-time`, and costs nothing. Without it, as long as the queue lets it.',
      }),
    ),
    metadata: Type.Optional(
      // Not Type.Record: its pattern lets names with a line feed by.
      Type.Unsafe<Record<string, string>>({
        type: 'object',
        maxProperties: 50,
        propertyNames: { minLength: 1, maxLength: 40, format: 'text' },
        additionalProperties: Text({ maxLength: 500 }),
        description: 'Your own notes: at most 50 names of at most 40 characters, values of at most 500.',
      }),
    ),
  },
  {
    title: 'CreateAvatar',
    ...oneSpeech,
    description: 'A portrait and speech. Exactly one of `sound_file` and `audio_id`.',
    examples: [example],
  },
);
export type CreateAvatar = Static<typeof CreateAvatar>;

/** A file in a form; text is taken as well. By then it is a string in the body, so that both kinds are checked alike. */
const File = (description: string) => Type.String({ format: 'binary', description });

/** What the parts of the form are sent as, for those who make a form from the document. */
export const formEncoding = {
  image: { contentType: 'image/jpeg, image/png, text/plain' },
  sound_file: { contentType: 'audio/mpeg, audio/wav, audio/mp4, audio/aac, text/plain' },
  metadata: { contentType: 'application/json' },
};

/** The same as a form. */
const CreateAvatarForm = Type.Object(
  {
    ...CreateAvatar.properties,
    image: File('The portrait as a file, or as text: an http(s) URL, bare base64 or a `data:` URI.'),
    sound_file: Type.Optional(
      File('The speech as a file, or as text, as the portrait. Give either this or `audio_id`.'),
    ),
  },
  {
    title: 'CreateAvatarForm',
    ...oneSpeech,
    description:
      'Each field once, in any order; `metadata` as JSON. A part of type `application/json` is JSON, its strings included. A field that is empty is as good as not sent.',
  },
);

/** Two ways to send the same. */
export const createBody = {
  content: {
    'application/json': { schema: CreateAvatar },
    'multipart/form-data': { schema: CreateAvatarForm },
  },
};

const integer = Nullable(Type.Integer());
const size = { width: integer, height: integer, bytes: integer };

const Image = Type.Object(
  { source: Word(['inline', 'url']), format: Nullable(Word(['jpeg', 'png'])), ...size },
  { description: 'What was found in the image; `null` where the gateway did not see the bytes.' },
);

const Audio = Type.Object(
  {
    source: Word(['inline', 'url', 'audio_id']),
    format: Nullable(Word(['mp3', 'wav', 'm4a', 'aac'])),
    duration_seconds: Nullable(Type.Number()),
    bytes: Nullable(Type.Integer()),
  },
  { description: 'What was found in the speech; `null` where the gateway did not see the bytes.' },
);

const Cost = Type.Object(
  {
    currency: Type.Literal('USD'),
    estimate: Nullable(Type.Number(), '`null` where the length of the speech is not known.'),
    reserved: Nullable(
      Type.Number(),
      'What is held for it against your caps, while it is not known what it costs: the estimate, or that of the longest speech there may be.',
    ),
    settled: Nullable(
      Type.Number(),
      'What it cost, once it has `succeeded`; also where it has `failed`, and Modellix billed it all the same.',
    ),
    basis: Word(
      ['estimated', 'billed'],
      '`billed`: `settled` is what Modellix says it billed. `estimated`: all of it is by the price that is set here.',
    ),
  },
  { description: 'What it is expected to cost, from the length of the speech, and what it did cost.' },
);

const Video = Type.Object(
  {
    url: AnyString('Where the gateway serves the bytes.'),
    format: Nullable(Type.String()),
    ...size,
    kept: Type.Boolean({
      description: 'Whether the gateway has it itself, so that it is there as long as the avatar.',
    }),
    expires_at: NullableTime(
      'When it is gone: when Modellix drops it, where it said so, or with the avatar.',
    ),
  },
  { description: 'The result.' },
);

const AvatarError = Type.Object(
  {
    type: AnyString('The type of the problem, from the catalogue.'),
    title: Type.String(),
    detail: Type.String(),
    upstream_status: Nullable(Type.Integer(), 'What Modellix answered with, where it did.'),
  },
  { description: 'Why the avatar did not succeed.' },
);

export const callbackState = Word(
  ['waiting', 'delivered', 'given_up'],
  '`waiting` for the end, or to be told, which is tried until it is `delivered`, or `given_up` after about a day.',
);

const Callback = Type.Object(
  { url: Type.String(), state: callbackState },
  { description: 'Who is told of the end, and whether that was done.' },
);

const Queue = Type.Object(
  {
    position: Type.Integer({ minimum: 1, description: '1 is the next. The queue is fair between callers.' }),
    estimated_start_at: NullableTime(
      'When it may be submitted, from how fast the queue drains; `null` where that is not known yet.',
    ),
  },
  { description: 'Where it stands in the queue.' },
);

export const AvatarView = Type.Object(
  {
    id: Type.String(),
    caller: AnyString('The name of the caller whose it is.'),
    status: Word(
      STATUSES,
      '`queued`: waits for its turn. `submitting`: on its way. `pending`, `processing`: at Modellix. Final: `succeeded`, `failed`, `timed_out` (Modellix never finished; can be resolved), `canceled` (before it was sent), `unconfirmed` (it is not known whether Modellix took it; never sent again by itself).',
    ),
    mode,
    prompt: Nullable(Type.String()),
    external_id: Nullable(Type.String()),
    metadata: Type.Unsafe<Record<string, string>>({ type: 'object', additionalProperties: Type.String() }),
    image: Image,
    audio: Audio,
    video: Nullable(Video),
    error: Nullable(AvatarError),
    cost: Cost,
    queue: Nullable(Queue, 'Where it stands in the queue, while it is `queued`.'),
    callback: Nullable(Callback),
    task_id: Nullable(Type.String(), "Modellix's id of the task, once it was made."),
    created_at: Time('When it was accepted.'),
    start_by: NullableTime('When it has to be submitted by, or else ends as `canceled`.'),
    submitted_at: NullableTime('When Modellix took it.'),
    completed_at: NullableTime('When it became final.'),
    expires_at: NullableTime('When the record is forgotten; set once it is final.'),
    links: Type.Object({ self: Type.String(), events: Type.String(), video: Type.String() }),
  },
  { $id: 'Avatar', description: 'A talking avatar: what was asked for, how far it is, and what came of it.' },
);
export type AvatarView = Static<typeof AvatarView>;

export const avatarContent = jsonContent<AvatarView>('Avatar', avatarExample);

const Warnings = Type.Array(Type.Object({ pointer: Type.String(), detail: Type.String() }), {
  description:
    'What is off in the media and was forgiven, and whether it is put right before it is sent. Nothing has to be done.',
});

export const CheckView = Type.Object(
  { mode, image: Image, audio: Audio, cost: Cost, warnings: Warnings },
  { $id: 'Check', description: 'What was found, and what an avatar of it would cost.' },
);
export type CheckView = Static<typeof CheckView>;

export const checkContent = jsonContent<CheckView>('Check', checkExample);

// What is not known in a `Prefer`, or malformed, is ignored (RFC 7240).
export const readHeaders = Type.Object({
  Prefer: OptionalString('`wait=n`: answer after n seconds, at most 60, or as soon as there is news.'),
  'If-None-Match': OptionalString('An `ETag` from an earlier answer, or several.'),
});

/** CheckResult by hand: each way to be wrong has a problem of its own. */
export const createHeaders = Type.Object({
  Prefer: OptionalString(
    '`wait=n`: answer after n seconds, at most 60, or as soon as the avatar is final. `respond-async`: do not wait for the submit.',
  ),
  'Idempotency-Key': OptionalString(
    'Names the request, so that it can be repeated: 1 to 255 visible ASCII characters, bare or in double quotes. Kept as long as the avatar.',
  ),
});

/** What an operator found. */
export const Resolution = Type.Object(
  {
    task_id: Type.Optional(
      Type.String({ pattern: '^[!-~]{1,256}$', description: "The task's id in the Modellix console." }),
    ),
    made: Type.Optional(Type.Literal(false, { description: 'There is no such task: nothing was made.' })),
  },
  {
    title: 'Resolution',
    additionalProperties: false,
    oneOf: [{ required: ['task_id'] }, { required: ['made'] }],
    description: 'Either the task that was found, or that none was made.',
    examples: [{ made: false }],
  },
);

export const AvatarParams = Type.Object({
  id: AnyString('The id from the answer to `POST /avatars`.'),
});
