import type { FastifySchemaValidationError } from 'fastify';

/** The first of Ajv's findings in a body, in Modellix's form: `<Category>: <detail>`. */
export function findingInWords(findings: readonly FastifySchemaValidationError[]): string {
  // What is below `oneOf` is summed up by it; and what is wrong with one field comes before what is wrong with two.
  const own = findings.filter(({ schemaPath }) => !schemaPath.includes('/oneOf/'));
  const first = own.find(({ keyword }) => keyword !== 'oneOf') ?? own[0];
  return first === undefined ? 'Invalid parameters: the request body is not valid' : inWords(first);
}

function inWords({ keyword, instancePath, params, message }: FastifySchemaValidationError): string {
  const name = instancePath.slice(1) || 'the request body';
  switch (keyword) {
    case 'required':
      return `Missing required parameter: ${params.missingProperty}`;
    case 'additionalProperties':
      return `Invalid parameters: unknown parameter ${String(params.additionalProperty).slice(0, 64).toWellFormed()}`;
    case 'oneOf':
      return params.passingSchemas === null
        ? 'Missing required parameter: audio_id or sound_file'
        : 'Invalid parameters: audio_id and sound_file exclude each other';
    case 'minLength':
    case 'maxLength':
      return `Value out of range: ${name} ${message}`;
    case 'enum':
      return `Invalid parameters: ${name} must be one of ${(params.allowedValues as unknown[]).join(', ')}`;
    case 'format':
      return `Invalid format: ${name} must not contain NUL or a lone surrogate`;
    default:
      return `Invalid parameters: ${name} ${message}`;
  }
}
