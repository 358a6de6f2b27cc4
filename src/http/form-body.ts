import type { IncomingMessage } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import type { Multipart } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { ByteCollector } from '../domain/media/collector.js';
import { type GivenMedia, MediaError } from '../domain/media/media.js';
import { mediaIn } from '../domain/media/text.js';
import { ProblemError } from '../problems.js';
import { type JsonBody, JsonBodyReader, MAX_REST_BYTES } from './json-body.js';

/** Members of `POST /avatars`, with room for one that is not known and shall be named. */
const MAX_PARTS = 20;
/** RFC 2046 §5.1.1: 1 to 70 characters, of these, the last no space. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;

/** Between two of them, all that is under way gets on. */
const LOOK_MS = 25;
const MOST_LOOKS = 20;
const CUT_SHORT = 'It is cut short, or not what its boundary says.';
/** The words of the parser, which has no codes for these. */
const BROKEN_FORM = /unexpected end|terminated early|malformed|boundary/i;

/** The member that is JSON in a text field. */
const METADATA = 'metadata';

/**
 * Reads a `multipart/form-data` body (RFC 7578) to the same as a JSON one: text fields become strings, `metadata` what
 * its JSON says, and media come as files or as text. What a browser sends for a field that was left empty, an empty
 * text or a file without a name, is as good as not sent.
 * @throws {ProblemError} `invalid-multipart` saying what is wrong, `payload-too-large`, `invalid-json` for `metadata`
 */
export async function readFormBody(
  request: FastifyRequest,
  members: ReadonlySet<string>,
  mediaMembers: ReadonlyMap<string, number>,
): Promise<JsonBody> {
  requireBoundary(request.headers['content-type'] ?? '');
  const over = new AbortController();
  try {
    const parts = readParts(request, members, mediaMembers);
    return await Promise.race([parts, neverEnds(request.raw, over.signal)]);
  } catch (error) {
    throw error instanceof ProblemError ? error : asProblem(error);
  } finally {
    over.abort();
  }
}

/**
 * The parser goes to sleep over some forms that are cut short (a part without Content-Disposition, of more than 16 kB).
 * Once all bytes are there nothing is left to wait for: what has not come to its end at many looks will not.
 */
async function neverEnds(raw: IncomingMessage, signal: AbortSignal): Promise<never> {
  for (let looks = 0; looks < MOST_LOOKS; looks += raw.complete ? 1 : 0) {
    await setTimeout(LOOK_MS, undefined, { signal });
  }
  throw invalid(CUT_SHORT);
}

async function readParts(
  request: FastifyRequest,
  members: ReadonlySet<string>,
  mediaMembers: ReadonlyMap<string, number>,
): Promise<JsonBody> {
  const value: Record<string, unknown> = {};
  const media = new Map<string, GivenMedia>();
  const seen = new Set<string>();
  let textBytes = 0;
  for await (const part of request.parts({ limits: limitsOf(request) })) {
    const name = checkedName(part, members, seen);
    if (part.type === 'file') {
      const file = await readFile(part.file, mediaMembers.get(name));
      if (file.length === 0 && !part.filename) continue;
      if (!mediaMembers.has(name)) throw invalid(`The field ${JSON.stringify(name)} is text, not a file.`);
      value[name] = 'file';
      media.set(name, given(file));
      continue;
    }
    const text = String(part.value);
    textBytes += text.length;
    if (part.valueTruncated || textBytes > MAX_REST_BYTES) throw tooLarge();
    if (text === '') continue;
    value[name] = name === METADATA ? readMetadata(text) : text;
    if (mediaMembers.has(name)) media.set(name, mediaIn(text));
  }
  if (seen.size === 0) throw invalid('There are no fields in it.');
  return { value, media };
}

function requireBoundary(type: string): void {
  const [, quoted, bare] = /;\s*boundary=(?:"([^"]*)"|([^;\s]*))/i.exec(type) ?? [];
  if (!BOUNDARY.test(quoted ?? bare ?? '')) {
    throw invalid('Content-Type has no boundary, or one that cannot be.');
  }
}

function limitsOf({ routeOptions }: FastifyRequest) {
  return {
    parts: MAX_PARTS,
    fields: MAX_PARTS,
    files: MAX_PARTS,
    fieldSize: MAX_REST_BYTES,
    fileSize: routeOptions.bodyLimit,
    headerPairs: 20,
  };
}

/** What the parser finds fault with; anything else goes on as it is. */
function asProblem(error: unknown): unknown {
  const { code, message = '' } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'FST_REQ_FILE_TOO_LARGE':
      return new ProblemError('payload-too-large', 'A file is larger than a whole body may be.');
    case 'FST_PARTS_LIMIT':
    case 'FST_FILES_LIMIT':
    case 'FST_FIELDS_LIMIT':
      return invalid(`It has more than ${MAX_PARTS} fields.`);
    case 'FST_PROTO_VIOLATION':
      return invalid('A field has a name that is not allowed.');
    case 'FST_INVALID_JSON_FIELD_ERROR':
      return invalid('A field of type application/json is not JSON.');
    case 'FST_MP_PREMATURE_CLOSE':
    case 'ECONNRESET':
      return new ProblemError('bad-request', 'The connection ended before the body did.');
  }
  return BROKEN_FORM.test(message) ? invalid(CUT_SHORT) : error;
}

function checkedName({ fieldname: name }: Multipart, members: ReadonlySet<string>, seen: Set<string>) {
  if (name === undefined || name === '') throw invalid('A field has no name.');
  if (!members.has(name)) throw invalid(`The field ${JSON.stringify(name.slice(0, 64))} is not known here.`);
  if (seen.has(name)) throw invalid(`The field ${JSON.stringify(name)} stands twice.`);
  seen.add(name);
  return name;
}

async function readFile(file: AsyncIterable<Buffer>, expectedBytes?: number): Promise<Buffer> {
  const bytes = new ByteCollector(expectedBytes);
  for await (const chunk of file) bytes.append(chunk);
  return bytes.take();
}

function given(bytes: Buffer): GivenMedia {
  return bytes.length > 0 ? { kind: 'bytes', bytes } : { kind: 'neither', error: new MediaError('is empty') };
}

/** As strict as a body of JSON. */
function readMetadata(text: string): unknown {
  const reader = new JsonBodyReader(new Map());
  reader.write(Buffer.from(text));
  return reader.end().value;
}

function tooLarge(): ProblemError {
  return new ProblemError(
    'payload-too-large',
    `The text fields together may have ${MAX_REST_BYTES} bytes; send media as files.`,
  );
}

function invalid(detail: string): ProblemError {
  return new ProblemError('invalid-multipart', `The form is not acceptable: ${detail}`);
}
