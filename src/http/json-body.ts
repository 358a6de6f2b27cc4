import { isUtf8 } from 'node:buffer';
import { type GivenMedia, TELLING_BYTES } from '../domain/media/media.js';
import { MediaText } from '../domain/media/text.js';
import { ProblemError } from '../problems.js';
import { JsonString } from './json-string.js';

/** Deeper nesting than any body of ours has use for. */
const MAX_DEPTH = 16;
/** What is left once the media are out: prompt, metadata and short members. */
export const MAX_REST_BYTES = 256 * 1024;
/** How much of a media string stays in the object, so that a schema can still see that it is a string. */
const HEAD_BYTES = 16;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** What there may be outside of objects, arrays and strings: white space, numbers, and three words. */
const OUTSIDE: ReadonlySet<number> = new Set(Buffer.from(' \t\n\r-+.0123456789eEtrufalsn'));
/** Must be escaped in a JSON string (RFC 8259 §7). */
const CONTROL = /[^ -\xff]/;

/** A body with its media apart. */
export interface JsonBody {
  /** The parsed body; a member whose media are apart holds the first characters of its string. */
  readonly value: unknown;
  readonly media: ReadonlyMap<string, GivenMedia>;
}

interface Level {
  /** The names met so far; `null` in an array. */
  readonly names: Set<string> | null;
  /** The member that is being read. */
  name: string | null;
  expectsName: boolean;
  /** The name under which this object stands in its parent. */
  readonly parent: string | null;
}

/**
 * Reads a JSON body as it arrives, strictly (RFC 8259, and RFC 7493 for duplicate members). The long strings of the
 * members named in `mediaMembers` are decoded on the way and become neither strings nor part of the object; all else is
 * short, is kept, and is parsed at the end. Grammar is left to JSON.parse.
 */
export class JsonBodyReader {
  readonly #mediaMembers: ReadonlyMap<string, number>;
  readonly #media = new Map<string, GivenMedia>();
  readonly #levels: Level[] = [];
  #rest: Buffer[] = [];
  #restBytes = 0;
  #arrived = 0;
  /** The string that is being read. */
  #string: StringInBody | null = null;

  /** @param mediaMembers with the bytes for which memory is made ready; 0 where nothing is known */
  constructor(mediaMembers: ReadonlyMap<string, number>) {
    this.#mediaMembers = mediaMembers;
  }

  /**
   * The chunk is not kept.
   * @throws {ProblemError} `invalid-json` saying what is wrong, `payload-too-large` where the rest is too large
   */
  write(chunk: Buffer): void {
    this.#arrived += chunk.length;
    let at = 0;
    while (at < chunk.length) at = this.#string === null ? this.#walk(chunk, at) : this.#read(chunk, at);
  }

  /** @throws {ProblemError} as {@link write} */
  end(): JsonBody {
    if (this.#arrived === 0) throw invalid('The body is empty.');
    if (this.#string !== null) throw invalid('The body ends inside a string.');
    const rest = Buffer.concat(this.#rest);
    if (!isUtf8(rest)) throw invalid('The body is not UTF-8.');
    try {
      return { value: JSON.parse(rest.toString('utf8')), media: this.#media };
    } catch {
      throw malformed();
    }
  }

  get #top(): Level | undefined {
    return this.#levels.at(-1);
  }

  /** Walks the structure up to the next string, or the end of the chunk. Returns where that is. */
  #walk(chunk: Buffer, from: number): number {
    let at = from;
    for (; at < chunk.length && chunk[at] !== QUOTE; at++) this.#meet(chunk[at] ?? 0);
    if (at < chunk.length) this.#string = this.#begin();
    // With the quote.
    this.#keep(chunk.subarray(from, at + 1));
    return at + 1;
  }

  #meet(byte: number): void {
    const top = this.#top;
    switch (byte) {
      case 0x7b: // {
      case 0x5b: {
        // [
        if (this.#levels.length === MAX_DEPTH)
          throw invalid(`The body is nested more than ${MAX_DEPTH} deep.`);
        const isObject = byte === 0x7b;
        const names = isObject ? new Set<string>() : null;
        this.#levels.push({ names, name: null, expectsName: isObject, parent: top?.name ?? null });
        break;
      }
      case 0x7d: // }
      case 0x5d: // ]
        this.#levels.pop();
        break;
      case 0x2c: // ,
        if (top?.names) top.expectsName = true;
        break;
      default:
        // All of it would be walked through first.
        if (top === undefined && !OUTSIDE.has(byte)) throw malformed();
    }
  }

  #begin(): StringInBody {
    const top = this.#top;
    if (top?.expectsName)
      return { level: top, member: null, pieces: [], bytes: 0, escaped: false, into: null };
    const name = this.#levels.length === 1 ? (top?.name ?? null) : null;
    const member = name !== null && this.#mediaMembers.has(name) ? name : null;
    return { level: null, member, pieces: [], bytes: 0, escaped: false, into: null };
  }

  /** Reads on in a string, up to its closing quote or the end of the chunk. Returns what is behind that. */
  #read(chunk: Buffer, from: number): number {
    const string = this.#string as StringInBody;
    const end = endOfString(chunk, from, string);
    const piece = chunk.subarray(from, end === -1 ? chunk.length : end);
    if (string.into !== null) {
      if (!string.into.text.write(piece)) throw malformed();
    } else if (string.member === null) {
      this.#keep(piece);
      if (string.level !== null) string.pieces.push(Buffer.from(piece));
    } else {
      string.pieces.push(Buffer.from(piece));
      string.bytes += piece.length;
      if (string.bytes > TELLING_BYTES) this.#setApart(string, string.member);
    }
    if (end === -1) return chunk.length;
    this.#string = null;
    this.#finish(string);
    return end + 1;
  }

  /** From here on the string goes to its media. */
  #setApart(string: StringInBody, member: string): void {
    const begun = Buffer.concat(string.pieces);
    string.pieces = [];
    // Behind the label of a `data:` URI only base64 is taken, and that has none of what is looked for here.
    const telling = begun.subarray(0, TELLING_BYTES);
    if (!isUtf8(telling.subarray(0, lastBoundary(telling)))) throw invalid('The body is not UTF-8.');
    if (CONTROL.test(telling.toString('latin1'))) throw malformed();
    const media = new MediaText(this.#mediaMembers.get(member));
    string.into = { media, text: new JsonString((text) => media.write(text)) };
    if (!string.into.text.write(begun)) throw malformed();
    // It must be possible to parse what stays: no half of an escape or of a character.
    const head = begun.toString('latin1', 0, HEAD_BYTES).replace(/[^ !#-[\]-~]/g, '?');
    this.#keep(Buffer.from(head));
  }

  #finish({ level, member, into, pieces }: StringInBody): void {
    if (into !== null && member !== null) {
      if (!into.text.end()) throw malformed();
      this.#media.set(member, into.media.end());
    } else if (member !== null) {
      for (const piece of pieces) this.#keep(piece);
    } else if (level !== null) {
      level.name = memberName(Buffer.concat(pieces), level);
      level.expectsName = false;
    }
    this.#keep(Buffer.of(QUOTE));
  }

  #keep(bytes: Buffer): void {
    this.#restBytes += bytes.length;
    if (this.#restBytes > MAX_REST_BYTES) throw tooLarge();
    this.#rest.push(Buffer.from(bytes));
  }
}

interface StringInBody {
  /** The object whose member's name it is. */
  readonly level: Level | null;
  /** The member whose media it may be. */
  readonly member: string | null;
  /** Of a name, or of what may be short. */
  pieces: Buffer[];
  bytes: number;
  /** The byte that comes next is escaped. */
  escaped: boolean;
  into: { readonly media: MediaText; readonly text: JsonString } | null;
}

/** The index of the closing quote, -1 where the chunk ends before. A quote behind an odd number of backslashes is none. */
function endOfString(chunk: Buffer, from: number, string: { escaped: boolean }): number {
  const first = string.escaped ? from + 1 : from;
  string.escaped = false;
  for (let end = chunk.indexOf(QUOTE, first); end !== -1; end = chunk.indexOf(QUOTE, end + 1)) {
    if (backslashesBefore(chunk, end, first) % 2 === 0) return end;
  }
  string.escaped = backslashesBefore(chunk, chunk.length, first) % 2 === 1;
  return -1;
}

function backslashesBefore(chunk: Buffer, end: number, from: number): number {
  let before = end - 1;
  while (before >= from && chunk[before] === BACKSLASH) before--;
  return end - 1 - before;
}

/** Where the last character that is all there ends: at most three bytes of one that is not are left out. */
function lastBoundary(bytes: Buffer): number {
  let at = bytes.length;
  while (at > bytes.length - 4 && at > 0 && ((bytes[at - 1] ?? 0) & 0xc0) === 0x80) at--;
  return at > 0 && (bytes[at - 1] ?? 0) >= 0xc0 ? at - 1 : bytes.length;
}

function memberName(inside: Buffer, level: Level): string {
  const name = parseName(inside);
  if (name === '__proto__' || (name === 'prototype' && level.parent === 'constructor')) {
    throw invalid(`The member ${JSON.stringify(name)} is not allowed.`);
  }
  if (level.names?.has(name)) throw invalid(`The member ${JSON.stringify(name.slice(0, 64))} stands twice.`);
  level.names?.add(name);
  return name;
}

function parseName(inside: Buffer): string {
  try {
    return JSON.parse(`"${inside.toString('utf8')}"`) as string;
  } catch {
    throw malformed();
  }
}

function tooLarge(): ProblemError {
  return new ProblemError(
    'payload-too-large',
    `Without its media the body may have ${MAX_REST_BYTES} bytes.`,
  );
}

function malformed(): ProblemError {
  return invalid('The body is not well-formed JSON.');
}

function invalid(detail: string): ProblemError {
  return new ProblemError('invalid-json', detail);
}
