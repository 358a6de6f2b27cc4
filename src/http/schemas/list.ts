import { type Static, Type } from 'typebox';
import { STATUSES } from '../../domain/avatar.js';
import { callerParameter } from '../access/scope.js';
import type { AvatarView } from './avatar.js';
import { avatarExample } from './examples.js';
import { answer, commonHeaders } from './responses.js';
import { AnyString, jsonContent, Nullable, OptionalString, OptionalText, Time, Word } from './types.js';

export const ListParameters = Type.Object(
  {
    // Several parameters of one name are taken as well.
    status: Type.Optional(
      Type.Array(Word(STATUSES), {
        minItems: 1,
        style: 'form',
        explode: false,
        description: 'Only avatars with this status, or with one of several, separated by commas.',
      }),
    ),
    external_id: OptionalText(255, 'Only avatars with this name of yours.'),
    created_after: Type.Optional(Time('Only avatars made later.')),
    created_before: Type.Optional(Time('Only avatars made earlier.')),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100,
        default: 20,
        description: 'How many avatars a page has at most.',
      }),
    ),
    ...callerParameter,
    cursor: OptionalString('`next_cursor` of the page before. The filters have to be the same.'),
  },
  { additionalProperties: false },
);
export type ListParameters = Static<typeof ListParameters>;

export const AvatarList = Type.Object(
  {
    data: Type.Array(Type.Unsafe<AvatarView>({ $ref: 'Avatar#' })),
    next_cursor: Nullable(Type.String(), 'Leads to the next page; `null` on the last one.'),
    has_more: Type.Boolean(),
  },
  { $id: 'AvatarList', description: 'A page of avatars, the newest first.' },
);
export type AvatarList = Static<typeof AvatarList>;

export const listAnswer = answer(
  'A page of your avatars.',
  jsonContent<AvatarList>('AvatarList', { data: [avatarExample], next_cursor: null, has_more: false }),
  { ...commonHeaders, Link: AnyString('`<path>; rel="next"`, where there is a next page (RFC 8288).') },
);
