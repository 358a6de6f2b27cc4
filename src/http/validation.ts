import type { FastifySchemaValidationError, FastifyServerOptions } from 'fastify';
import type { FieldError } from '../problems.js';

/** More than this many faults in one request are not listed. */
const MAX_ERRORS = 20;

/** Nothing is coerced and nothing dropped: what does not fit is an error that names the field. */
export const validatorOptions: NonNullable<FastifyServerOptions['ajv']> = {
  customOptions: {
    coerceTypes: false,
    removeAdditional: false,
    useDefaults: true,
    allErrors: true,
    formats: {
      text: (value: string) => value.isWellFormed() && !value.includes('\0'),
      'date-time': true,
    },
  },
};

/** Ajv's findings as field errors; a missing or unknown member is named by its own pointer. */
export function fieldErrors(findings: readonly FastifySchemaValidationError[]): FieldError[] {
  return findings.slice(0, MAX_ERRORS).map(({ instancePath, keyword, params, message }) => {
    switch (keyword) {
      case 'required':
        return { pointer: member(instancePath, params.missingProperty), detail: 'is required' };
      case 'additionalProperties':
        return { pointer: member(instancePath, params.additionalProperty), detail: 'is not known here' };
      case 'enum':
        return {
          pointer: instancePath,
          detail: `must be one of ${(params.allowedValues as unknown[]).join(', ')}`,
        };
      case 'format':
        return { pointer: instancePath, detail: 'must not contain NUL or a lone surrogate' };
      default:
        return { pointer: instancePath, detail: message ?? 'is not valid' };
    }
  });
}

/** RFC 6901: `~` and `/` are escaped. */
function member(path: string, name: unknown): string {
  return `${path}/${String(name).slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
