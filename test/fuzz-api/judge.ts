/** Whether an answer is one that the document promises for the request. */

import type { ApiDocument, Described, JsonSchema } from './document.js';
import type { ApiRequest, Flaw } from './requests.js';
import type { Answer } from './send.js';

/** What any path may answer besides what is documented, and only where this is wrong with the request. */
const ANYWHERE: Readonly<Record<number, readonly Flaw[]>> = {
  400: ['path', 'headers', 'needless body'],
  404: ['path'],
  405: ['method', 'path'],
  415: ['needless body'],
  431: ['long headers'],
};

/** What a request may meet that is as the document asks: another state than it counts on. */
const STATES: ReadonlySet<number> = new Set([404, 409, 410, 416]);

/** Headers that come only where there is something to say; every other one that is documented is always there. */
const SOMETIMES: ReadonlySet<string> = new Set([
  'idempotent-replayed',
  'link',
  'preference-applied',
  'ratelimit',
  'ratelimit-policy',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
]);

/** What is answered to a request of which it is not known where it was to go. */
export const PROBLEM: Described = {
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

/** What is wrong with an answer; nothing where it is as promised. */
export function faultsOf(document: ApiDocument, request: ApiRequest, answer: Answer): string[] {
  const { operation, method, flaws, isRefused } = request;
  const { status } = answer;
  if (status >= 500) return [`answered ${status}`];
  const faults: string[] = [];
  const described = operation.responses[String(status)];
  const isAnywhere = ANYWHERE[status]?.some((flaw) => flaws.has(flaw)) === true;
  const isHead = status === 405 && method === 'HEAD'; // The document does not say where there is one.
  if (described === undefined && !isAnywhere && !isHead) faults.push(`${status} is not documented`);
  if (isRefused && status < 400) faults.push(`${status}, and the schema has no such body`);
  if (flaws.size === 0 && status >= 400 && !STATES.has(status) && !isHead) {
    faults.push(`${status}, and nothing is wrong with the request`);
  }
  if (flaws.has('method') && status < 400) faults.push(`${status} to ${method}`);
  if (status === 405 && answer.headers.allow === undefined) faults.push('405 without Allow');
  // On the way to a problem the path may have led elsewhere: to another operation, or to none.
  const elsewhere = flaws.has('path') && status < 400;
  if (!elsewhere) {
    faults.push(...headerFaults(document, described, answer));
    const allowed =
      described === undefined || isAnywhere ? [described, errorOf(request), PROBLEM] : [described];
    faults.push(...bodyFaults(document, contentOf(allowed), request, answer));
  }
  return faults;
}

/** Every error of an operation has one form. */
function errorOf({ operation: { responses } }: ApiRequest): Described | undefined {
  return Object.entries(responses).find(([status]) => Number(status) >= 400)?.[1];
}

function headerFaults(
  document: ApiDocument,
  described: Described | undefined,
  { headers }: Answer,
): string[] {
  if (headers['x-request-id'] === undefined) return ['there is no X-Request-Id'];
  return Object.entries(described?.headers ?? {}).flatMap(([name, { schema }]) => {
    const text = headers[name.toLowerCase()];
    if (text === undefined) return SOMETIMES.has(name.toLowerCase()) ? [] : [`there is no ${name}`];
    const value = schema.type === 'integer' ? Number(text) : String(text);
    const fault = document.fault(schema, value);
    return fault === null ? [] : [`${name}: ${text}: ${fault}`];
  });
}

function contentOf(described: readonly (Described | undefined)[]): NonNullable<Described['content']> {
  return Object.assign({}, ...described.map((each) => each?.content));
}

function bodyFaults(
  document: ApiDocument,
  content: NonNullable<Described['content']>,
  { method }: ApiRequest,
  { status, headers, body, isWhole }: Answer,
): string[] {
  const type = headers['content-type']?.split(';', 1)[0];
  if (Object.keys(content).length === 0 || status === 204 || status === 304) {
    return body.length === 0 ? [] : [`${body.length} bytes where no content is documented`];
  }
  const found = type === undefined ? undefined : (content[type] ?? content['*/*']);
  if (found === undefined) return [`the content type ${type} is not documented`];
  if (method === 'HEAD') return body.length === 0 ? [] : ['a HEAD was answered with a body'];
  if (!isWhole) return [];
  return contentFaults(document, found.schema ?? {}, type ?? '', body);
}

function contentFaults(document: ApiDocument, schema: JsonSchema, type: string, body: Buffer): string[] {
  if (!/json$/.test(type))
    return document.fault(schema, body.toString('latin1')) === null ? [] : ['the content'];
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    return ['the body is not JSON'];
  }
  const fault = document.fault(schema, value);
  return fault === null ? [] : [`the body is not as documented: ${fault}`];
}
