import { type Static, Type } from 'typebox';
import { AnyString } from './types.js';

/** RFC 9457 problem details. */
export const Problem = Type.Object(
  {
    type: AnyString('Stable name of the problem: `urn:avatar-gateway:problem:<slug>`.'),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: AnyString('What it happened to: the path of the request, or of the avatar.'),
    request_id: AnyString('As in `X-Request-Id` and in the log.'),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: AnyString('JSON pointer into the body (RFC 6901), or a query parameter.'),
          detail: Type.String(),
        }),
        { description: 'Each field at fault.' },
      ),
    ),
  },
  { $id: 'Problem', description: 'What went wrong, as of RFC 9457.' },
);
export type Problem = Static<typeof Problem>;
