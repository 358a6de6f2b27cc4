import { isUtf8 } from 'node:buffer';
import { ProblemError } from '../problems.js';

/** Deeper nesting than any body of ours has use for. */
const MAX_DEPTH = 16;
/** A string longer than this is lifted out, if its member may be. Longer than any URL that is allowed. */
const LIFT_OVER_BYTES = 4_096;
/** What is left once the long strings are out: prompt, metadata and short members. */
const MAX_REST_BYTES = 256 * 1024;
/** How much of a lifted string stays in the object, so that a schema can still see that it is a string. */
const HEAD_BYTES = 16;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Must be escaped in a JSON string (RFC 8259 §7). */
const CONTROL = /[^ -\xff]/;

/** A body with its long strings apart. */
export interface JsonBody {
  /** The parsed body; a lifted member holds the first characters of its string. */
  readonly value: unknown;
  /** The lifted strings, as the bytes that came where no escape stood in them. */
  readonly lifted: ReadonlyMap<string, Buffer>;
}

/**
 * Parses a JSON body once, strictly (RFC 8259, and RFC 7493 for duplicate members), without turning the long
 * strings of the members named in `liftable` into JavaScript strings.
 * @throws {ProblemError} `invalid-json` saying what is wrong, `payload-too-large` when the rest is too large
 */
export function readJsonBody(bytes: Buffer, liftable: ReadonlySet<string>): JsonBody {
  if (bytes.length === 0) throw invalid('The body is empty.');
  if (!isUtf8(bytes)) throw invalid('The body is not UTF-8.');
  const lifted = new Map<string, Buffer>();
  const rest = Buffer.concat(scan(bytes, liftable, lifted));
  if (rest.length > MAX_REST_BYTES) throw tooLarge();
  try {
    return { value: JSON.parse(rest.toString('utf8')), lifted };
  } catch {
    throw malformed();
  }
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

/** Walks the structure, fills `lifted`, and returns the bytes without what was lifted. Grammar is left to JSON.parse. */
function scan(bytes: Buffer, liftable: ReadonlySet<string>, lifted: Map<string, Buffer>): Buffer[] {
  const rest: Buffer[] = [];
  const levels: Level[] = [];
  let copiedTo = 0;
  let top: Level | undefined;
  for (let at = 0; at < bytes.length; at++) {
    if (at - copiedTo > MAX_REST_BYTES) throw tooLarge();
    switch (bytes[at]) {
      case QUOTE: {
        const end = endOfString(bytes, at);
        if (top?.expectsName) {
          top.name = memberName(bytes.subarray(at, end + 1), top);
          top.expectsName = false;
        } else if (levels.length === 1 && top?.name && end - at > LIFT_OVER_BYTES && liftable.has(top.name)) {
          const text = unescaped(bytes.subarray(at, end + 1));
          lifted.set(top.name, text);
          rest.push(bytes.subarray(copiedTo, at), head(text));
          copiedTo = end + 1;
        }
        at = end;
        break;
      }
      case 0x7b: // {
      case 0x5b: {
        // [
        if (levels.length === MAX_DEPTH) throw invalid(`The body is nested more than ${MAX_DEPTH} deep.`);
        const isObject: boolean = bytes[at] === 0x7b;
        const parent: string | null = top?.name ?? null;
        top = { names: isObject ? new Set() : null, name: null, expectsName: isObject, parent };
        levels.push(top);
        break;
      }
      case 0x7d: // }
      case 0x5d: // ]
        levels.pop();
        top = levels.at(-1);
        break;
      case 0x2c: // ,
        if (top?.names) top.expectsName = true;
        break;
    }
  }
  rest.push(bytes.subarray(copiedTo));
  return rest;
}

/** The index of the closing quote. A quote is escaped when an odd number of backslashes stands before it. */
function endOfString(bytes: Buffer, start: number): number {
  for (let end = bytes.indexOf(QUOTE, start + 1); end !== -1; end = bytes.indexOf(QUOTE, end + 1)) {
    let before = end - 1;
    while (bytes[before] === BACKSLASH) before--;
    if ((end - 1 - before) % 2 === 0) return end;
  }
  throw invalid('The body ends inside a string.');
}

function memberName(quoted: Buffer, level: Level): string {
  const name = parseString(quoted);
  if (name === '__proto__' || (name === 'prototype' && level.parent === 'constructor')) {
    throw invalid(`The member ${JSON.stringify(name)} is not allowed.`);
  }
  if (level.names?.has(name)) throw invalid(`The member ${JSON.stringify(name.slice(0, 64))} stands twice.`);
  level.names?.add(name);
  return name;
}

/**
 * The bytes between the quotes; through JSON only where something is escaped, as PHP does with every slash.
 * Control characters are looked for as far as a `data:` URI's label may go: behind it only base64 is taken, and
 * that has none.
 */
function unescaped(quoted: Buffer): Buffer {
  if (quoted.includes(BACKSLASH)) return Buffer.from(parseString(quoted));
  if (CONTROL.test(quoted.toString('latin1', 1, LIFT_OVER_BYTES))) throw malformed();
  return quoted.subarray(1, -1);
}

function head(text: Buffer): Buffer {
  return Buffer.from(JSON.stringify(text.toString('latin1', 0, HEAD_BYTES)));
}

function parseString(quoted: Buffer): string {
  try {
    return JSON.parse(quoted.toString('utf8')) as string;
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
