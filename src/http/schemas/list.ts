import { type Static, Type } from 'typebox';
import { callerParameter } from '../scope.js';
import type { AvatarView } from './avatar.js';
import { avatarExample } from './examples.js';
import { commonHeaders } from './responses.js';

const Text = (description: string, options: Type.TStringOptions) => Type.String({ description, ...options });

/** What is listed. Checked by formats of the validator, since all parameters are text. */
export const ListParameters = Type.Object(
  {
    status: Type.Optional(
      Text('Only avatars with this status, or with one of several, separated by commas.', {
        format: 'statuses',
      }),
    ),
    external_id: Type.Optional(
      Text('Only avatars with this name of yours.', { minLength: 1, maxLength: 255, format: 'text' }),
    ),
    created_after: Type.Optional(Text('Only avatars made later.', { format: 'date-time' })),
    created_before: Type.Optional(Text('Only avatars made earlier.', { format: 'date-time' })),
    limit: Type.Optional(
      Text('How many avatars a page has at most: 1 to 100.', { format: 'page-size', default: '20' }),
    ),
    ...callerParameter,
    cursor: Type.Optional(Text('`next_cursor` of the page before. The filters have to be the same.', {})),
  },
  { additionalProperties: false },
);
export type ListParameters = Static<typeof ListParameters>;

export const AvatarList = Type.Object(
  {
    data: Type.Array(Type.Unsafe<AvatarView>({ $ref: 'Avatar#' })),
    next_cursor: Type.Union([Type.String(), Type.Null()], {
      description: 'Leads to the next page; `null` on the last one.',
    }),
    has_more: Type.Boolean(),
  },
  { $id: 'AvatarList', description: 'A page of avatars, the newest first.' },
);
export type AvatarList = Static<typeof AvatarList>;

export const listAnswer = {
  description: 'A page of your avatars.',
  headers: {
    ...commonHeaders,
    Link: Type.String({ description: '`<path>; rel="next"`, where there is a next page (RFC 8288).' }),
  },
  content: {
    'application/json': {
      schema: Type.Unsafe<AvatarList>({ $ref: 'AvatarList#' }),
      examples: { list: { value: { data: [avatarExample], next_cursor: null, has_more: false } } },
    },
  },
};
