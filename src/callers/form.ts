/** The form of the file: what may be said of a caller. `$comment` is the rule in words, for the messages. */

import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { MAX_QUEUE_SHARE } from '../domain/caller.js';

const HASH = Type.String({ pattern: '^[0-9a-fA-F]{64}$' });

const count = () =>
  Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    $comment: 'must be a whole number from 1 to 1000000',
  });

const usd = () =>
  Type.Number({
    minimum: 0,
    maximum: 1_000_000,
    $comment: 'must be an amount from 0 to 1000000 US dollars, with at most six decimals',
  });

const Listed = Type.Object(
  {
    name: Type.String({
      pattern: '^[a-z0-9][a-z0-9._-]{0,63}$',
      $comment: 'must be up to 64 of a-z, 0-9, ".", "_" and "-", and begin with a letter or a digit',
    }),
    key_sha256: Type.Union([HASH, Type.Array(HASH, { minItems: 1, maxItems: 2 })], {
      $comment: 'must be the SHA-256 of a key as 64 hexadecimal digits, or a list of one or two',
    }),
    modes: Type.Optional(
      Type.Array(Type.Enum(['std', 'pro']), {
        minItems: 1,
        uniqueItems: true,
        $comment: 'must be a list of std, pro or both',
      }),
    ),
    requests_per_minute: Type.Optional(count()),
    unfinished_avatars: Type.Optional(count()),
    queue_share: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_QUEUE_SHARE,
        $comment: `must be a whole number from 1 to ${MAX_QUEUE_SHARE}`,
      }),
    ),
    usd_per_day: Type.Optional(usd()),
    usd_per_month: Type.Optional(usd()),
    webhook_secrets: Type.Optional(
      Type.Array(Type.String(), {
        minItems: 1,
        maxItems: 2,
        $comment: 'must be a list of one or two of whsec_ and the base64 of 24 to 64 bytes',
      }),
    ),
    callback_hosts: Type.Optional(
      Type.Array(Type.String(), {
        maxItems: 1000,
        $comment:
          'must be a list of hosts as they stand in a URL, without a port, "*." before a domain for all below it',
      }),
    ),
    admin: Type.Optional(Type.Boolean({ $comment: 'must be true or false' })),
    expires_at: Type.Optional(
      Type.String({
        // RFC 3339, section 5.6.
        pattern: '^\\d{4}-\\d\\d-\\d\\d[Tt]\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?([Zz]|[+-]\\d\\d:\\d\\d)$',
        $comment: 'must be a time such as 2027-01-31T00:00:00Z',
      }),
    ),
  },
  { additionalProperties: false },
);

/** A caller as the file has it. */
export type CallerMembers = Static<typeof Listed>;
export type MemberName = keyof CallerMembers;

const compiled = Compile(Listed);

/** What is wrong with a caller, as a predicate: with the member at `path`, or with all of it. */
export class MemberError extends Error {
  override readonly name = 'MemberError';
  readonly path: readonly (string | number)[];

  constructor(path: readonly (string | number)[], message: string) {
    super(message);
    this.path = path;
  }
}

/** A member against the rule of its name. */
export function brokenRule(member: MemberName, ...rest: number[]): MemberError {
  const { $comment } = Listed.properties[member] as { readonly $comment?: string };
  return new MemberError([member, ...rest], $comment ?? 'is not valid');
}

/** @throws {MemberError} for the first member that has not the form it should have; it shows no value */
export function checkForm(value: unknown): asserts value is CallerMembers {
  if (compiled.Check(value)) return;
  const [first] = compiled.Errors(value);
  const [, member, item] = first?.instancePath.split('/') ?? [];
  if (member === undefined) throw inWhole(value);
  if (!isMember(member)) throw new MemberError([member], noMember(MEMBERS));
  throw brokenRule(member, ...(item === undefined ? [] : [Number(item)]));
}

const MEMBERS = Object.keys(Listed.properties);

function isMember(name: string): name is MemberName {
  return MEMBERS.includes(name);
}

/** Of a member that is not known. */
export function noMember(known: readonly string[]): string {
  return `is not known here, but ${known.join(', ')}`;
}

function inWhole(value: unknown): MemberError {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return new MemberError([], 'must be a caller with its members');
  }
  const missing = Listed.required.find((name) => !(name in value));
  return missing === undefined
    ? new MemberError([], 'is not valid')
    : new MemberError([missing], 'is missing');
}
