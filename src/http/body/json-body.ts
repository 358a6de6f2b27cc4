import { isUtf8 } from 'node:buffer';
import type { GivenMedia } from '../../domain/media/media.js';
import { mediaIn } from '../../domain/media/text.js';
import { ProblemError } from '../../problems.js';
import { unescapeMedia } from './media-string.js';

/** Deeper nesting than any body of ours has use for. */
const MAX_DEPTH = 16;
/** Each costs time, here and where a schema is checked. 50 names of metadata are the most there may be. */
const MAX_VALUES = 250;
/** What is left once the media are out: prompt, metadata and short members. */
export const MAX_REST_BYTES = 256 * 1024;

const [QUOTE, BACKSLASH, COLON, COMMA] = [0x22, 0x5c, 0x3a, 0x2c];
const [BRACE, END_BRACE, BRACKET, END_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d];

/** What may stand outside of strings and has a meaning. */
const MARKS = new Set([COLON, COMMA, BRACE, END_BRACE, BRACKET, END_BRACKET]);
/** Stands where media were. */
const PLACEHOLDER = Buffer.from('?');

/** The members that may hold megabytes, as strings or files. */
export const MEDIA_MEMBERS: ReadonlySet<string> = new Set(['image', 'sound_file']);

/** A body with its media apart. */
export interface JsonBody {
  /** The parsed body. A string that is media is `?` in it, or empty as it was. */
  readonly value: unknown;
  readonly media: ReadonlyMap<string, GivenMedia>;
}

/** The message says of the body what is wrong with it. */
class Refusal extends SyntaxError {}

/**
 * Reads JSON strictly (RFC 8259, and RFC 7493 for duplicate members). Strings that are media become neither JavaScript
 * strings nor part of the object; the first stays in the memory of the body, which is written to.
 * @param member the member whose value is read, where it is not a whole body
 * @throws {ProblemError} `invalid-json` saying what is wrong, `payload-too-large` where the rest is too large
 */
export async function readJson(body: Buffer, member?: string): Promise<JsonBody> {
  try {
    const { rest, texts } = split(body, member);
    if (rest.length === 0) throw new Refusal('is empty');
    if (rest.length > MAX_REST_BYTES) throw tooLarge();
    if (!isUtf8(rest)) throw new Refusal('is not UTF-8');
    // A byte order mark may be ignored (RFC 8259 §8.1).
    const value: unknown = JSON.parse(rest.toString().replace(/^\ufeff/, ''));
    const media = new Map<string, GivenMedia>();
    for (const [name, text] of texts) {
      // Media go to other threads with all the memory they are in.
      const own = media.size === 0 ? text : Buffer.from(new Uint8Array(text).buffer);
      media.set(name, mediaIn(await unescapeMedia(own)));
    }
    return { value, media };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const subject = member === undefined ? 'The body' : `The field ${JSON.stringify(member)}`;
    const predicate = error instanceof Refusal ? error.message : 'is not well-formed JSON';
    throw new ProblemError('invalid-json', `${subject} ${predicate}.`);
  }
}

/** An object or array that is open. */
interface Level {
  readonly names: Set<string>;
  /** The member whose value is next; `null` where its name is. */
  name: string | null;
}

/**
 * Takes media out, and looks for what JSON.parse lets pass. The rest of the grammar is left to that, but for what would
 * take long here.
 */
function split(body: Buffer, member: string | undefined) {
  const texts = new Map<string, Buffer>();
  const rest: Buffer[] = [];
  let restBytes = 0;
  const levels: Level[] = member === undefined ? [] : [{ names: new Set(), name: member }];
  let values = 0;
  let kept = 0;
  /** Since the last mark. */
  let string: Buffer | null = null;
  for (let at = 0; at < body.length && restBytes + at - kept <= MAX_REST_BYTES; at++) {
    const byte = body[at] as number;
    if (byte === QUOTE) {
      if (string !== null) throw new SyntaxError();
      const end = endOfString(body, at + 1);
      string = body.subarray(at, end + 1);
      const name = levels.length === 1 ? levels[0]?.name : null;
      if (name && MEDIA_MEMBERS.has(name)) {
        texts.set(name, string.subarray(1, -1));
        rest.push(body.subarray(kept, at + 1));
        restBytes += at + 1 - kept;
        if (string.length > 2) rest.push(PLACEHOLDER);
        kept = end;
      }
      at = end;
    } else if (MARKS.has(byte)) {
      if (byte === COLON) readName(levels, string);
      else if (byte === END_BRACE || byte === END_BRACKET) {
        if (levels.pop() === undefined) throw new SyntaxError();
      } else {
        // Behind each of these comes a member or an element, or nothing at all.
        values += 1;
        if (values > MAX_VALUES) throw new Refusal(`has more than ${MAX_VALUES} members and elements`);
        if (byte !== COMMA) levels.push({ names: new Set(), name: null });
        else if (levels.length > 0) (levels.at(-1) as Level).name = null;
        if (levels.length > MAX_DEPTH) throw new Refusal(`is nested more than ${MAX_DEPTH} deep`);
      }
      string = null;
    }
  }
  return { texts, rest: Buffer.concat([...rest, body.subarray(kept, kept + MAX_REST_BYTES + 1)]) };
}

/** Where the quote is that ends a string. */
function endOfString(body: Buffer, from: number): number {
  let at = body.indexOf(QUOTE, from);
  if (body[at - 1] === BACKSLASH) {
    for (at = from; at < body.length && body[at] !== QUOTE; at++) if (body[at] === BACKSLASH) at += 1;
  }
  if (at === -1 || at >= body.length) throw new Refusal('ends inside a string');
  return at;
}

/** What was read before a colon is a name. */
function readName(levels: readonly Level[], string: Buffer | null): void {
  const level = levels.at(-1);
  if (string === null || level?.name !== null) throw new SyntaxError();
  const name = String(JSON.parse(string.toString()));
  const isPrototype = name === 'prototype' && levels.at(-2)?.name === 'constructor';
  const shown = JSON.stringify(name.slice(0, 64));
  if (name === '__proto__' || isPrototype) throw new Refusal(`may not have the member ${shown}`);
  if (level.names.has(name)) throw new Refusal(`has the member ${shown} twice`);
  level.names.add(name);
  level.name = name;
}

/** Of what is not media. */
export function tooLarge(): ProblemError {
  return new ProblemError('payload-too-large', `Media aside, there may be ${MAX_REST_BYTES} bytes.`);
}
