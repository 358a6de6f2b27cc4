import { Type } from 'typebox';
import { isFinal, STATUSES } from '../../domain/avatar.js';
import { AvatarView } from './avatar.js';
import { avatarExample } from './examples.js';
import { Time, Word } from './types.js';

/** The body of a callback, as `messageOf` makes it. */
export const CallbackMessage = Type.Object(
  {
    type: Word(
      STATUSES.filter(isFinal).map((status) => `avatar.${status}` as const),
      '`avatar.` and the status.',
    ),
    timestamp: Time('When the avatar became final.'),
    truncated: Type.Optional(
      Type.Literal(true, {
        description:
          'The message would have had 20 kB or more: `metadata`, and if need be `prompt`, is `null`.',
      }),
    ),
    data: Type.Union([
      Type.Unsafe<AvatarView>({ $ref: 'Avatar#' }),
      Type.Object(
        { ...AvatarView.properties, metadata: Type.Null() },
        { description: 'The avatar where the message is truncated; GET has it all.' },
      ),
    ]),
  },
  { $id: 'CallbackMessage', description: 'How an avatar ended.' },
);

const header = (name: string, description: string, schema: Type.TSchema) => ({
  name,
  in: 'header',
  required: true,
  description,
  schema,
});

const endedAt = '2026-11-22T10:03:04.250Z';

const example = {
  type: 'avatar.succeeded',
  timestamp: endedAt,
  data: {
    ...avatarExample,
    status: 'succeeded',
    video: {
      url: avatarExample.links.video,
      format: 'mp4',
      width: 720,
      height: 960,
      bytes: 1_843_200,
      kept: false,
      expires_at: '2026-11-29T10:03:04.250Z',
    },
    callback: { url: 'https://app.example.com/avatars', state: 'waiting' },
    completed_at: endedAt,
    expires_at: '2026-11-29T10:03:04.250Z',
  },
};

/** What the gateway calls by itself, which no route describes. */
export const webhooks = {
  avatarEnded: {
    post: {
      operationId: 'avatarEnded',
      // Who calls shows itself by its signature.
      security: [],
      tags: ['callbacks'],
      summary: 'An avatar has ended',
      description:
        'Sent to the `callback_url` of an avatar once it is final, signed as of Standard Webhooks, and tried again for about a day. It may arrive more than once, each time with the same `webhook-id`; messages of different avatars come in no particular order. See docs/callbacks.md.',
      parameters: [
        header('webhook-id', 'Names the end: the same for each try and each redelivery.', Type.String()),
        header(
          'webhook-timestamp',
          'When it was sent, in seconds since the epoch. Refuse what is far off.',
          Type.String({ pattern: '^\\d+$' }),
        ),
        header(
          'webhook-signature',
          'Over `webhook-id`, `webhook-timestamp` and the body as it came, with full stops between them: `v1,` and the base64 of the HMAC-SHA256. Two of them, with a space between, while the secret is changed.',
          Type.String({ pattern: '^v1,[A-Za-z0-9+/]+=*( v1,[A-Za-z0-9+/]+=*)*$' }),
        ),
      ],
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: { $ref: '#/components/schemas/CallbackMessage' },
            examples: { succeeded: { value: example } },
          },
        },
      },
      responses: {
        '2XX': { description: 'Taken: it is `delivered`. The body is of no interest.' },
        '410': { description: 'Nothing is wanted there any more: it is `given_up` at once.' },
        default: {
          description:
            'A failure, redirects among them, as is no answer within `CALLBACK_TIMEOUT_SECONDS`: it is tried again, after `Retry-After` at the earliest where a 429 or 503 has one.',
        },
      },
    },
  },
};
