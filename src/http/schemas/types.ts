import { Type } from 'typebox';

export const Nullable = <T extends Type.TSchema>(schema: T, description?: string) =>
  Type.Union([schema, Type.Null()], description === undefined ? {} : { description });

/** One of some words. Generators of clients want the type beside the words. */
export const Word = <const Words extends string[]>(words: readonly [...Words], description?: string) =>
  Type.Enum(words, { type: 'string', ...(description !== undefined && { description }) });

export const AnyString = (description: string) => Type.String({ description });
export const AnyInteger = (description: string) => Type.Integer({ description });

/** `text`: no NUL and no lone surrogate. CheckResult by the `text` format of the validator. */
export const Text = (options: Type.TStringOptions) => Type.String({ ...options, format: 'text' });

export const OptionalText = (maxLength: number, description: string) =>
  Type.Optional(Text({ minLength: 1, maxLength, description }));

/** Any string, or none. */
export const OptionalString = (description: string) => Type.Optional(AnyString(description));

export const Time = (description: string) => Type.String({ format: 'date-time', description });
export const NullableTime = (description: string) =>
  Nullable(Type.String({ format: 'date-time' }), description);

/** An answer with one of the schemas that stand once in the document. */
export const jsonContent = <T>($id: string, example: object) => ({
  'application/json': {
    schema: Type.Unsafe<T>({ $ref: `${$id}#` }),
    examples: { [$id]: { value: example } },
  },
});

/** No parameter is known, so each is refused. */
export const noQuery = Type.Object({}, { additionalProperties: false });
