/** The text of the file -> callers. */

import { type Document, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import { MemberError, noMember } from './form.js';
import { type ListedCaller, listedCaller } from './listed.js';

const MAX_CALLERS = 10_000;

/** What is wrong with a file, on one line. It quotes no value. */
export class CallersError extends Error {
  override readonly name = 'CallersError';
}

/** A file as it was read: its callers, and the document that they stand in. */
export interface CallersDocument {
  readonly callers: readonly ListedCaller[];
  readonly document: Document;
}

/**
 * Reads YAML 1.2, of which JSON is a part.
 * @throws {CallersError} for the first thing at fault
 */
export function readCallers(text: string): CallersDocument {
  const lines = new LineCounter();
  const document = parsed(text, lines);
  const at = (path: readonly (string | number)[]) => positionOf(document, lines, path);
  const values = listIn(document.toJS({ maxAliasCount: 0 }), at);
  const callers: ListedCaller[] = [];
  const names = new Map<string, number>();
  const hashes = new Map<string, number>();
  for (const [index, value] of values.entries()) {
    try {
      const listed = listedCaller(value);
      claim(names, listed.caller.name, index, 'name', 'is the name of');
      for (const hash of listed.keyHashes) {
        claim(hashes, hash.toString('hex'), index, 'key_sha256', 'is a key of');
      }
      callers.push(listed);
    } catch (error) {
      if (!(error instanceof MemberError)) throw error;
      throw new CallersError(`${at(['callers', index, ...error.path])} ${error.message}`);
    }
  }
  return { callers, document };
}

function claim(taken: Map<string, number>, what: string, index: number, member: string, is: string): void {
  const owner = taken.get(what);
  if (owner !== undefined && owner !== index)
    throw new MemberError([member], `${is} callers[${owner}] already`);
  taken.set(what, index);
}

function parsed(text: string, lines: LineCounter): Document {
  let document: Document.Parsed;
  try {
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CallersError('it is nested too deeply');
  }
  // The library's own messages quote the file.
  const [first] = [...document.errors, ...document.warnings];
  if (first !== undefined) throw new CallersError(`${place(lines, first.pos[0])} ${wordsFor(first.code)}`);
  visit(document, {
    Alias: (_, { range }) => {
      throw new CallersError(`${place(lines, range?.[0] ?? 0)} is an alias: write out what it stands for`);
    },
  });
  return document;
}

function wordsFor(code: string): string {
  if (code === 'DUPLICATE_KEY') return 'is a member that is there already';
  if (code === 'TAG_RESOLVE_FAILED') return 'has a tag: there are none here';
  return `is no YAML or JSON (${code})`;
}

/** @throws {CallersError} */
function listIn(value: unknown, at: (path: readonly string[]) => string): readonly unknown[] {
  if (typeof value !== 'object' || value === null || !('callers' in value)) {
    if (value instanceof Object && 'clients' in value) {
      throw new CallersError(`${at(['clients'])} is called callers now: write "callers" in its place`);
    }
    throw new CallersError('callers is missing, the list of those who may call');
  }
  const other = Object.keys(value).find((name) => name !== 'callers');
  if (other !== undefined) throw new CallersError(`${at([other])} ${noMember(['callers'])}`);
  if (!Array.isArray(value.callers)) throw new CallersError(`${at(['callers'])} must be a list`);
  if (value.callers.length > MAX_CALLERS) {
    throw new CallersError(`callers are ${value.callers.length}: there may be ${MAX_CALLERS}`);
  }
  return value.callers;
}

/** `callers[2].queue_share (line 14)`; the line is that of what there is of it. */
function positionOf(document: Document, lines: LineCounter, path: readonly (string | number)[]): string {
  const name = path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${shownMember(part)}`))
    .join('');
  let offset = 0;
  let node: unknown = document.contents;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === part);
      if (isScalar(pair?.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair?.value;
    } else if (isSeq(node) && typeof part === 'number') {
      node = node.items[part];
      if (isMap(node) || isSeq(node) || isScalar(node)) offset = node.range?.[0] ?? offset;
    }
  }
  return `${name.slice(1)} (line ${lines.linePos(offset).line})`;
}

/** What stands where the name of a member should be may be a secret. */
function shownMember(name: string): string {
  return /^[a-z_]\w{0,31}$/.test(name) ? name : '?';
}

function place(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `what is at line ${line}, column ${col}`;
}
