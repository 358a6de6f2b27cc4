import { createRequire } from 'node:module';
import type { BuildCompilerFromPool } from '@fastify/ajv-compiler';
import type { FastifySchemaValidationError } from 'fastify';
import type { FieldError } from '../problems.js';
import { noQuery } from './schemas/types.js';

const load = createRequire(import.meta.url);
/** More than this many faults in one request are not listed. */
const MAX_ERRORS = 20;
/** A name that is longer is cut: a caller knows its beginning. */
const MAX_NAME = 64;
/** One for all servers and plugins: each compiles every schema anew. Loaded with the first, which is a good part of a start. */
let build: BuildCompilerFromPool | undefined;

/** What a text may have to be, and the words for one that is not. */
const FORMATS: Readonly<
  Record<string, { readonly fits: (value: string) => boolean; readonly words: string }>
> = {
  text: {
    fits: (value) => value.isWellFormed() && !value.includes('\0'),
    words: 'must not contain NUL or a lone surrogate',
  },
  'date-time': {
    fits: isDateTime,
    words: 'must be a time as of RFC 3339, for example 2026-11-22T10:00:00Z (a + is sent as %2B)',
  },
  date: {
    fits: (value) => /^\d{4}-\d\d-\d\d$/.test(value) && isDateTime(`${value}T00:00:00Z`),
    words: 'must be a day, for example 2026-11-28',
  },
};

/**
 * Validators as Fastify has them, but that nothing is dropped, and nothing coerced in a body: what does not fit is an error that
 * names the field. In a query string all is text, so numbers and booleans are read from it. Each is compiled when it is first
 * used: together they would be a fifth of the start.
 */
export const buildValidators = ((schemas) => {
  const validators = (coerceTypes: boolean) => {
    build ??= (load('@fastify/ajv-compiler') as () => BuildCompilerFromPool)();
    return build(schemas, {
      customOptions: {
        coerceTypes,
        strictNumbers: !coerceTypes, // or else "Infinity" would be below every maximum
        removeAdditional: false,
        useDefaults: true,
        allErrors: true,
        verbose: true, // for the `schema` of a finding
        formats: { binary: true },
        keywords: ['style', 'explode'], // of OpenAPI, for parameters
      },
      // In place of those that the compiler adds, whose times may lack their T.
      onCreate(ajv) {
        for (const [name, { fits }] of Object.entries(FORMATS)) ajv.addFormat(name, fits);
      },
    });
  };
  const compilers = new Map<boolean, ReturnType<typeof validators>>();
  const compile = (coerceTypes: boolean, route: Parameters<ReturnType<typeof validators>>[0]) => {
    const compiler = compilers.get(coerceTypes) ?? validators(coerceTypes);
    compilers.set(coerceTypes, compiler);
    return compiler(route);
  };
  return (route) => {
    const { httpPart, schema } = route as { readonly httpPart?: string; readonly schema?: unknown };
    let validate: ReturnType<typeof compile> | undefined;
    return (value: unknown) => {
      if (schema === noQuery && Object.keys(value as object).length === 0) return true;
      validate ??= compile(httpPart === 'querystring', route);
      return validate(value) || { error: validate.errors };
    };
  };
  // Fastify takes what a compiled schema finds in either form.
}) as BuildCompilerFromPool;

/** Ajv adds the name at fault to what it finds below `propertyNames`, and the keyword's value to every finding. */
type Finding = FastifySchemaValidationError & { readonly propertyName?: string; readonly schema?: unknown };

/** Ajv's findings in a body as field errors; a missing or unknown member is named by its own pointer. */
export function fieldErrors(findings: readonly Finding[]): FieldError[] {
  const ofWrongType = new Set(
    findings.flatMap(({ keyword, instancePath }) => (keyword === 'type' ? [instancePath] : [])),
  );
  return findings
    .filter(({ keyword, schemaPath, instancePath }) => {
      // These sum up other findings, or go into a summary.
      if (keyword === 'propertyNames' || schemaPath.includes('/oneOf/')) return false;
      // What else a value lacks does not matter where another type belongs.
      return keyword === 'type' || !ofWrongType.has(instancePath);
    })
    .slice(0, MAX_ERRORS)
    .flatMap((finding) =>
      finding.keyword === 'oneOf'
        ? alternatives(finding)
        : [{ pointer: pointerOf(finding), detail: detailOf(finding) }],
    );
}

/** The same for a query string: its parameters are named as they are, also where one of several values is at fault. */
export function parameterErrors(findings: readonly Finding[]): FieldError[] {
  const named = fieldErrors(findings).map(({ pointer, detail }) => {
    const name = (pointer.split('/', 2)[1] ?? '').replaceAll('~1', '/').replaceAll('~0', '~');
    return [name, { pointer: name, detail }] as const;
  });
  return [...new Map(named).values()];
}

/** `oneOf` stands for members of which exactly one is given: each of them is at fault. */
function alternatives({ instancePath, params, schema }: Finding): FieldError[] {
  const names = (schema as { required: string[] }[]).flatMap(({ required }) => required);
  const given = params.passingSchemas === null ? 'none' : 'more';
  const detail = `exactly one of ${names.join(' and ')} must be given, not ${given}`;
  return names.map((name) => ({ pointer: `${instancePath}/${name}`, detail }));
}

/** RFC 6901: `~` and `/` are escaped. Ajv has escaped them in `instancePath`. */
function pointerOf({ instancePath, params, propertyName }: Finding): string {
  const names = instancePath.split('/').slice(1);
  const own = propertyName ?? params.missingProperty ?? params.additionalProperty;
  if (own !== undefined) names.push(String(own).replaceAll('~', '~0').replaceAll('/', '~1'));
  return names.map((name) => `/${cut(name)}`).join('');
}

/** At the end of an escape sequence, not within it. */
function cut(name: string): string {
  return (name.length <= MAX_NAME ? name : name.slice(0, MAX_NAME).replace(/~$/, '')).toWellFormed();
}

/** What is wrong with what it points to, to be read behind its name. */
export function detailOf({ keyword, params, message, propertyName }: Finding): string {
  const subject = propertyName === undefined ? '' : 'is a name that ';
  switch (keyword) {
    case 'required':
      return 'is required';
    case 'additionalProperties':
      return 'is not known here';
    case 'enum':
      return `must be one of ${(params.allowedValues as unknown[]).join(', ')}`;
    case 'format':
      return subject + (FORMATS[String(params.format)]?.words ?? 'is not valid');
    default:
      return subject + (message ?? 'is not valid');
  }
}

/** RFC 3339 §5.6; `Date.parse` alone takes other forms, and the 30th of February. */
function isDateTime(value: string): boolean {
  const [, year, month, day] =
    /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/i.exec(value) ?? [];
  if (year === undefined || Number.isNaN(Date.parse(value.toUpperCase()))) return false;
  return new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() === Number(day);
}
