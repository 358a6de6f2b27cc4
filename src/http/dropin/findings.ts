import type { FastifySchemaValidationError } from 'fastify';
import { detailOf } from '../validation.js';

const CATEGORIES: Readonly<Record<string, string>> = {
  minLength: 'Value out of range',
  maxLength: 'Value out of range',
  format: 'Invalid format',
};

/** The first of Ajv's findings in a body, in Modellix's form: `<Category>: <detail>`. */
export function findingInWords(findings: readonly FastifySchemaValidationError[]): string {
  // What is below `oneOf` is summed up by it; and what is wrong with one field comes before what is wrong with two.
  const own = findings.filter(({ schemaPath }) => !schemaPath.includes('/oneOf/'));
  const first = own.find(({ keyword }) => keyword !== 'oneOf') ?? own[0];
  return first === undefined ? 'Invalid parameters: the request body is not valid' : inWords(first);
}

function inWords(finding: FastifySchemaValidationError): string {
  const { keyword, instancePath, params } = finding;
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
    default:
      return `${CATEGORIES[keyword] ?? 'Invalid parameters'}: ${name} ${detailOf(finding)}`;
  }
}
