import type { FastifyError, FastifySchemaValidationError } from 'fastify';
import type { ProblemError, ProblemSlug } from '../../problems.js';
import { detailOf } from '../validation.js';

/** How a problem is written for its caller. */
export interface WrittenError {
  readonly status: number;
  readonly type: string;
  readonly body: object;
}

/** Where Modellix has its routes. */
export const PREFIX = '/api/v1';

/** Whether a URL's path is one of Modellix's, be there a route or not. */
export function isDropIn(url: string): boolean {
  return /^\/api\/v1(?:[/?#]|$)/.test(url);
}

/**
 * What each problem is called where Modellix's words are spoken: the status, and the category before the detail. Modellix's
 * clients take some statuses of a submit for a certain refusal (400, 401, 402, 403, 404, 405, 413, 415, 422, 429) and
 * all others for an outcome that is unknown (contract, "A submit costs money"), so where it is certain that nothing was
 * made the status is one of those.
 */
const REFUSALS: Readonly<Record<ProblemSlug, readonly [status: number, category: string]>> = {
  'bad-request': [400, 'Invalid format'],
  'invalid-json': [400, 'Invalid format'],
  'invalid-multipart': [400, 'Invalid format'],
  'idempotency-key-invalid': [400, 'Invalid format'],
  'idempotency-key-required': [400, 'Missing required parameter'],
  'invalid-query': [400, 'Invalid parameters'],
  'invalid-cursor': [400, 'Invalid parameters'],
  unauthorized: [401, 'Authentication failed'],
  'spend-cap-reached': [402, 'Balance used up'],
  forbidden: [403, 'Permission denied'],
  'not-found': [404, 'Not found'],
  'method-not-allowed': [405, 'Method not allowed'],
  'not-acceptable': [406, 'Not acceptable'],
  'request-timeout': [400, 'Request timeout'],
  'video-not-ready': [409, 'Not ready'],
  'not-unconfirmed': [409, 'Conflict'],
  'not-cancelable': [409, 'Conflict'],
  'not-final': [409, 'Conflict'],
  'no-callback': [409, 'Conflict'],
  'task-taken': [409, 'Conflict'],
  'video-gone': [410, 'Gone'],
  'payload-too-large': [413, 'Payload too large'],
  'unsupported-media-type': [415, 'Unsupported media type'],
  'range-not-satisfiable': [416, 'Value out of range'],
  validation: [400, 'Invalid parameters'],
  'invalid-media': [400, 'Invalid format'],
  'url-not-allowed': [400, 'Invalid format'],
  'idempotency-key-reused': [422, 'Invalid parameters'],
  'refused-by-modellix': [400, 'Invalid parameters'],
  'content-refused': [400, 'Content refused'],
  'queue-full': [429, 'Concurrent limit exceeded'],
  'too-many-unfinished': [429, 'Concurrent limit exceeded'],
  'rate-limited': [429, 'Rate limit exceeded'],
  'headers-too-large': [400, 'Invalid format'],
  internal: [500, 'Internal error'],
  'record-damaged': [500, 'Internal error'],
  'task-failed': [502, 'Task failed'],
  'parallel-limit': [502, 'Task failed'],
  'canceled-by-modellix': [502, 'Task failed'],
  'task-lost': [502, 'Task failed'],
  'outcome-unknown': [502, 'Outcome unknown'],
  'not-made': [422, 'Not submitted'],
  'video-unavailable': [502, 'Service unavailable'],
  overloaded: [429, 'Concurrent limit exceeded'],
  'account-problem': [402, 'Account problem'],
  arrears: [402, 'Balance used up'],
  'not-ready': [503, 'Service unavailable'],
  'video-delayed': [503, 'Service unavailable'],
  'store-unavailable': [503, 'Service unavailable'],
  'never-sent': [422, 'Not submitted'],
  'not-started-in-time': [422, 'Not submitted'],
  'task-timeout': [504, 'Task failed'],
};

/** In these Modellix itself speaks: its status and its words are handed on. */
const MODELLIX_SPEAKS: ReadonlySet<ProblemSlug> = new Set([
  'refused-by-modellix',
  'content-refused',
  'account-problem',
  'arrears',
]);

/** What is called otherwise here than at `/avatars`. */
const NAMES: Readonly<Record<string, string>> = { '/callback_url': 'X-Webhook-URL' };

/** A problem as Modellix would put it. */
export function refusalOf(problem: ProblemError): WrittenError {
  const { slug, message, errors, upstreamStatus, cause } = problem;
  const [status, category] = REFUSALS[slug];
  const findings = slug === 'validation' && (cause as FastifyError | undefined)?.validation;
  if (findings) return refusal(status, findingInWords(findings));
  if (MODELLIX_SPEAKS.has(slug) && upstreamStatus !== null) {
    // After a 429 a client would try again.
    return refusal(upstreamStatus === 429 ? status : upstreamStatus, message);
  }
  const fields = errors
    ?.map(({ pointer, detail }) => `${NAMES[pointer] ?? pointer.slice(1)} ${detail}`)
    .join('; ');
  return refusal(status, `${category}: ${fields ?? message}`);
}

/** @param message `<Category>: <detail>`. Modellix's have no full stop, and its clients put one behind them. */
function refusal(status: number, message: string): WrittenError {
  return {
    status,
    type: 'application/json; charset=utf-8',
    body: { code: status, message: message.replace(/\.$/, ''), data: {} },
  };
}

/** The problems that are answered with a status. */
export function refusalsWith(status: number): ProblemSlug[] {
  return (Object.keys(REFUSALS) as ProblemSlug[]).filter((slug) => REFUSALS[slug][0] === status);
}

const CATEGORIES: Readonly<Record<string, string>> = {
  minLength: 'Value out of range',
  maxLength: 'Value out of range',
  format: 'Invalid format',
};

/** The first of Ajv's findings in a body, in Modellix's form: `<Category>: <detail>`. */
function findingInWords(findings: readonly FastifySchemaValidationError[]): string {
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
