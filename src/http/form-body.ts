import { setImmediate } from 'node:timers/promises';
import { Busboy } from '@fastify/busboy';
import { ByteCollector } from '../domain/media/collector.js';
import { type GivenMedia, MediaError } from '../domain/media/media.js';
import { mediaIn } from '../domain/media/text.js';
import { ProblemError } from '../problems.js';
import { type JsonBody, JsonReader, MAX_REST_BYTES } from './json-body.js';

/** Members of `POST /avatars`, with room for one that is not known and shall be named. */
const MAX_PARTS = 20;
const MAX_HEADERS_A_PART = 20;
/** RFC 2046 §5.1.1: 1 to 70 characters, of these, the last no space. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;
/** How text begins: every file that is taken has other bytes at once. */
const TEXT = /^[\t\r\n -~]*$/;
const TEXT_WITHIN = 64;
/** The member that is JSON, whatever its part says. */
const METADATA = 'metadata';
const NO_MEDIA: ReadonlyMap<string, number> = new Map();
const CUT_SHORT = 'It is cut short, or not what its boundary says.';

/**
 * Reads a `multipart/form-data` body (RFC 7578) to the same as a JSON one. A part of type `application/json` is JSON, and
 * so is `metadata`; media are files, unless they have no file name and begin as text does; all else is text. What a browser
 * sends for a field that was left empty, an empty text or a file without a name, is as good as not sent.
 * @param mediaMembers as for `JsonReader`
 * @throws {ProblemError} `invalid-multipart` saying what is wrong, `payload-too-large`, `invalid-json`
 */
export async function readFormBody(
  chunks: AsyncIterable<Buffer>,
  contentType: string,
  members: ReadonlySet<string>,
  mediaMembers: ReadonlyMap<string, number>,
): Promise<JsonBody> {
  requireBoundary(contentType);
  const form = new Form(members, mediaMembers);
  let fault: unknown = null;
  let isWhole = false;
  /** The parser is no place to throw from. */
  const attempt = (work: () => void): void => {
    try {
      if (fault === null) work();
    } catch (error) {
      fault = error;
    }
  };
  const refuse = (detail: string) => attempt(() => void fail(detail));
  const parser = new Busboy({
    headers: { 'content-type': contentType },
    isPartAFile: (name = '', type = '') => mediaMembers.has(name) || !/^text\//i.test(type),
    limits: { parts: MAX_PARTS, fieldSize: MAX_REST_BYTES, headerPairs: MAX_HEADERS_A_PART },
  });
  parser.on('file', (name, stream, fileName, _encoding, type) => {
    stream.on('error', () => refuse(CUT_SHORT));
    attempt(() => {
      const part = form.begin(name, type, fileName);
      stream.on('data', (chunk: Buffer) => attempt(() => part.write(chunk)));
      stream.on('end', () => attempt(() => part.end()));
    });
  });
  parser.on('field', (name, text, _isNameCut, isCut) => attempt(() => form.add(name, text, isCut)));
  parser.on('partsLimit', () => refuse(`It has more than ${MAX_PARTS} fields.`));
  parser.on('error', () => refuse(CUT_SHORT));
  parser.on('finish', () => {
    isWhole = true;
  });
  for await (const chunk of chunks) {
    parser.write(chunk);
    if (fault !== null) throw fault;
  }
  parser.end();
  // It waits for ticks alone: what it has not come to by now it never comes to.
  await setImmediate();
  if (!isWhole) refuse(CUT_SHORT);
  if (fault !== null) throw fault;
  return form.end();
}

/** A field whose bytes come one after the other. */
interface Part {
  write(chunk: Buffer): void;
  end(): void;
}

/** The fields of a form. */
class Form {
  readonly #members: ReadonlySet<string>;
  readonly #mediaMembers: ReadonlyMap<string, number>;
  readonly #value: Record<string, unknown> = {};
  readonly #media = new Map<string, GivenMedia>();
  readonly #seen = new Set<string>();
  #textBytes = 0;

  constructor(members: ReadonlySet<string>, mediaMembers: ReadonlyMap<string, number>) {
    this.#members = members;
    this.#mediaMembers = mediaMembers;
  }

  add(given: string | undefined, text: string, isCut: boolean): void {
    const name = this.#checkName(given);
    this.#count(isCut ? MAX_REST_BYTES + 1 : text.length);
    if (text === '') return;
    if (name !== METADATA) {
      this.#value[name] = text;
      return;
    }
    const part = this.#json(name, false);
    part.write(Buffer.from(text));
    part.end();
  }

  begin(given: string | undefined, type: string, fileName: string | undefined): Part {
    const name = this.#checkName(given);
    const isFile = fileName !== undefined && fileName !== '';
    if (type === 'application/json' || name === METADATA) return this.#json(name, isFile);
    if (!this.#mediaMembers.has(name)) fail(`The field ${JSON.stringify(name)} is text, not a file.`);
    return this.#medium(name, isFile);
  }

  end(): JsonBody {
    if (this.#seen.size === 0) fail('There are no fields in it.');
    return { value: this.#value, media: this.#media };
  }

  #json(name: string, isFile: boolean): Part {
    const isMedia = this.#mediaMembers.has(name);
    const reader = new JsonReader(isMedia ? this.#mediaMembers : NO_MEDIA, name);
    let isEmpty = !isFile;
    return {
      write: (chunk) => {
        isEmpty = false;
        if (!isMedia) this.#count(chunk.length);
        reader.write(chunk);
      },
      end: () => {
        if (isEmpty) return;
        const { value, media } = reader.end();
        this.#value[name] = value;
        for (const [member, each] of media) this.#media.set(member, each);
      },
    };
  }

  #medium(name: string, isFile: boolean): Part {
    const collector = new ByteCollector(this.#mediaMembers.get(name));
    return {
      write: (chunk) => collector.append(chunk),
      end: () => {
        const bytes = collector.take();
        if (bytes.length === 0 && !isFile) return;
        this.#value[name] = 'file';
        const isText = !isFile && TEXT.test(bytes.toString('latin1', 0, TEXT_WITHIN));
        if (isText) this.#media.set(name, mediaIn(bytes));
        else if (bytes.length > 0) this.#media.set(name, { kind: 'bytes', bytes });
        else this.#media.set(name, { kind: 'invalid', error: new MediaError('is empty') });
      },
    };
  }

  #checkName(name: string | undefined): string {
    if (name === undefined || name === '') return fail('A field has no name.');
    const shown = JSON.stringify(name.slice(0, 64));
    if (!this.#members.has(name)) fail(`The field ${shown} is not known here.`);
    if (this.#seen.has(name)) fail(`The field ${shown} stands twice.`);
    this.#seen.add(name);
    return name;
  }

  #count(bytes: number): void {
    this.#textBytes += bytes;
    if (this.#textBytes <= MAX_REST_BYTES) return;
    const detail = `The fields together may have ${MAX_REST_BYTES} bytes, media aside.`;
    throw new ProblemError('payload-too-large', detail);
  }
}

function requireBoundary(type: string): void {
  const [, quoted, bare] = /;\s*boundary=(?:"([^"]*)"|([^;\s]*))/i.exec(type) ?? [];
  if (!BOUNDARY.test(quoted ?? bare ?? '')) fail('Content-Type has no boundary, or one that cannot be.');
}

function fail(detail: string): never {
  throw new ProblemError('invalid-multipart', `The form is not acceptable: ${detail}`);
}
