import { setImmediate } from 'node:timers/promises';
import { Busboy } from '@fastify/busboy';
import { ByteCollector } from '../../domain/media/collector.js';
import { type GivenMedia, MediaError } from '../../domain/media/media.js';
import { mediaIn } from '../../domain/media/text.js';
import { ProblemError } from '../../problems.js';
import { CreateAvatar } from '../schemas/avatar.js';
import { type JsonBody, MAX_REST_BYTES, MEDIA_MEMBERS, readJson, tooLarge } from './json-body.js';

const MEMBERS: ReadonlySet<string> = new Set(Object.keys(CreateAvatar.properties));
/** These are no text. */
const JSON_MEMBERS: ReadonlySet<string> = new Set(['metadata', 'start_within_seconds']);
/** Members of `POST /avatars`, with room for one that is not known and shall be named. */
const MAX_PARTS = 20;
const MAX_HEADERS_A_PART = 20;
/** RFC 2046 §5.1.1: 1 to 70 characters, of these, the last no space. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;
/** How text begins: every file that is taken has other bytes at once. */
const TEXT = /^[\t\r\n -~]*$/;
const TEXT_WITHIN = 64;
const TEXT_TYPE = /^text\//i;
/** How JSON begins. Some clients say that a string is JSON and send it as it is. */
const JSON_VALUE = /^\s*(?:["{[\d-]|(?:true|false|null)\s*$)/;
/** Stands where bytes were no characters, and in no text that somebody wrote. */
const NO_CHARACTER = '\ufffd';
const CUT_SHORT = 'It is cut short, or not what its boundary says.';

interface Part {
  readonly isFile: boolean;
  readonly isJson: boolean;
  readonly content: ByteCollector;
}

/**
 * Reads a `multipart/form-data` body (RFC 7578) to the same as a JSON one. A part of type `application/json` that begins as
 * JSON does is JSON, and so are `metadata` and numbers; media are files, unless they have no file name and begin as text does; all else is text. What a browser
 * sends for a field that was left empty, an empty text or a file without a name, is as good as not sent.
 * @param receive hands on the body as it arrives, until what it is given to throws
 * @param bodyBytes how many will come; 0 where that is not known
 * @throws {ProblemError} `invalid-multipart` saying what is wrong, `payload-too-large`, `invalid-json`
 */
export async function readForm(
  receive: (take: (chunk: Buffer) => void) => Promise<void>,
  contentType: string,
  bodyBytes: number,
): Promise<JsonBody> {
  requireBoundary(contentType);
  const parts = new Map<string, Part>();
  let arrivedBytes = 0;
  let restBytes = 0;
  let isWhole = false;
  /** The parser is no place to throw from. */
  const faults: ProblemError[] = [];
  const refuse = (detail: string) => faults.push(problem(detail));
  /** Returns what to do with its bytes. */
  const begin = (name = '', type = '', fileName = ''): ((chunk: Buffer) => void) => {
    const shown = JSON.stringify(name.slice(0, 64));
    const isMedia = MEDIA_MEMBERS.has(name);
    const isJson = type === 'application/json' || JSON_MEMBERS.has(name);
    if (name === '') refuse('A field has no name.');
    else if (!MEMBERS.has(name)) refuse(`The field ${shown} is not known here.`);
    else if (parts.has(name)) refuse(`The field ${shown} stands twice.`);
    else if (!isMedia && !isJson && !TEXT_TYPE.test(type)) refuse(`The field ${shown} is text, not a file.`);
    const content = new ByteCollector(isMedia ? Math.max(0, bodyBytes - arrivedBytes) : 0);
    parts.set(name, { isFile: fileName !== '', isJson, content });
    return (chunk) => {
      content.append(chunk);
      if (!isMedia) restBytes += chunk.length;
      if (restBytes > MAX_REST_BYTES) faults.push(tooLarge());
    };
  };
  const parser = new Busboy({
    headers: { 'content-type': contentType },
    isPartAFile: (name = '', type = '') => MEDIA_MEMBERS.has(name) || !TEXT_TYPE.test(type),
    limits: { parts: MAX_PARTS, fieldSize: MAX_REST_BYTES + 1, headerPairs: MAX_HEADERS_A_PART },
  });
  parser.on('file', (name, stream, fileName, _encoding, type) => {
    stream.on('data', begin(name, type, fileName));
    stream.on('error', () => refuse(CUT_SHORT));
  });
  parser.on('field', (name, text, _isNameCut, _isCut, _encoding, type) =>
    begin(name, type)(Buffer.from(text)),
  );
  parser.on('partsLimit', () => refuse(`It has more than ${MAX_PARTS} fields.`));
  parser.on('error', () => refuse(CUT_SHORT));
  parser.on('finish', () => {
    isWhole = true;
  });
  await receive((chunk) => {
    parser.write(chunk);
    arrivedBytes += chunk.length;
    for (const fault of faults) throw fault;
  });
  parser.end();
  // It waits for ticks alone: what it has not come to by now it never comes to.
  await setImmediate();
  if (!isWhole) refuse(CUT_SHORT);
  if (parts.size === 0) refuse('There are no fields in it.');
  for (const fault of faults) throw fault;
  return bodyOf(parts);
}

async function bodyOf(parts: ReadonlyMap<string, Part>): Promise<JsonBody> {
  const value: Record<string, unknown> = {};
  const media = new Map<string, GivenMedia>();
  for (const [name, { isFile, isJson, content }] of parts) {
    const bytes = content.take();
    const isMedia = MEDIA_MEMBERS.has(name);
    if (bytes.length === 0 && !isFile) continue;
    if (!isMedia && bytes.toString().includes(NO_CHARACTER)) {
      throw problem(`The field ${JSON.stringify(name)} is not UTF-8, nor of the charset that it names.`);
    }
    const isText = name !== 'metadata' && !JSON_VALUE.test(bytes.toString('latin1', 0, TEXT_WITHIN));
    if (isJson && !isText) {
      const body = await readJson(bytes, name);
      value[name] = body.value;
      for (const [member, each] of body.media) media.set(member, each);
    } else if (isMedia) {
      value[name] = 'file';
      media.set(name, mediumOf(bytes, isFile));
    } else value[name] = bytes.toString();
  }
  return { value, media };
}

function mediumOf(bytes: Buffer, isFile: boolean): GivenMedia {
  if (!isFile && TEXT.test(bytes.toString('latin1', 0, TEXT_WITHIN))) return mediaIn(bytes);
  if (bytes.length > 0) return { kind: 'bytes', bytes };
  return { kind: 'invalid', error: new MediaError('is empty') };
}

function requireBoundary(type: string): void {
  const [, quoted, bare] = /;\s*boundary=(?:"([^"]*)"|([^;\s]*))/i.exec(type) ?? [];
  if (BOUNDARY.test(quoted ?? bare ?? '')) return;
  throw problem('Content-Type has no boundary, or one that cannot be.');
}

function problem(detail: string): ProblemError {
  return new ProblemError('invalid-multipart', `The form is not acceptable: ${detail}`);
}
