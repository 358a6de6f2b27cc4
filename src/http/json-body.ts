import { isUtf8 } from 'node:buffer';
import { ByteCollector } from '../domain/media/collector.js';
import type { GivenMedia } from '../domain/media/media.js';
import { ProblemError } from '../problems.js';
import { MediaString } from './media-string.js';

/** Deeper nesting than any body of ours has use for. */
const MAX_DEPTH = 16;
/** Each costs time, here and where a schema is checked. 50 names of metadata are the most there may be. */
const MAX_VALUES = 250;
/** What is left once the media are out: prompt, metadata and short members. */
export const MAX_REST_BYTES = 256 * 1024;

const [QUOTE, BACKSLASH, COLON, COMMA] = [0x22, 0x5c, 0x3a, 0x2c];
const [BRACE, END_BRACE, BRACKET, END_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d];

/** A body with its media apart. */
export interface JsonBody {
  /** The parsed body. A string that is media is `?` in it, or empty as it was. */
  readonly value: unknown;
  readonly media: ReadonlyMap<string, GivenMedia>;
}

/** An object or array that is being read. */
interface Level {
  /** Those met so far; `null` in an array. */
  readonly names: Set<string> | null;
  /** The member whose value is next; `null` where its name is. */
  name: string | null;
}

/**
 * Reads JSON as it arrives, strictly (RFC 8259, and RFC 7493 for duplicate members). Strings that are media are decoded
 * on the way and become neither JavaScript strings nor part of the object; all else is short, is kept, and is parsed at
 * the end. Grammar is left to JSON.parse.
 */
export class JsonReader {
  readonly #mediaMembers: ReadonlyMap<string, number>;
  readonly #subject: string;
  readonly #media = new Map<string, GivenMedia>();
  readonly #levels: Level[] = [];
  readonly #rest = new ByteCollector();
  #values = 0;
  /** Where in the rest the last string begins. */
  #stringAt = 0;
  #state: 'outside' | 'string' | 'escape' = 'outside';
  #medium: MediaString | null = null;

  /**
   * @param mediaMembers the members whose strings are media, with the bytes for which memory is made ready; 0 where nothing is known
   * @param member the member whose value is read, where it is not a whole body
   */
  constructor(mediaMembers: ReadonlyMap<string, number>, member?: string) {
    this.#mediaMembers = mediaMembers;
    this.#subject = member === undefined ? 'The body' : `The field ${JSON.stringify(member)}`;
    if (member !== undefined) this.#levels.push({ names: null, name: member });
  }

  /**
   * The chunk is not kept.
   * @throws {ProblemError} `invalid-json` saying what is wrong, `payload-too-large` where the rest is too large
   */
  write(chunk: Buffer): void {
    this.#refusing(() => {
      for (let at = 0; at < chunk.length; ) {
        at = this.#medium === null ? this.#walk(chunk, at) : this.#readMedium(this.#medium, chunk, at);
      }
    });
  }

  /** @throws {ProblemError} as {@link write} */
  end(): JsonBody {
    const rest = this.#rest.take();
    if (rest.length === 0) throw this.#invalid('is empty');
    if (this.#medium !== null || this.#state !== 'outside') throw this.#invalid('ends inside a string');
    if (!isUtf8(rest)) throw this.#invalid('is not UTF-8');
    // A byte order mark may be ignored (RFC 8259 §8.1).
    const text = rest.toString().replace(/^\ufeff/, '');
    return { value: this.#refusing(() => JSON.parse(text)), media: this.#media };
  }

  /** Walks up to where media begin, or to the end of the chunk. Returns what is behind that. */
  #walk(chunk: Buffer, from: number): number {
    let kept = from;
    let state = this.#state;
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (state === 'escape') state = 'string';
      else if (state === 'string') {
        if (byte === BACKSLASH) state = 'escape';
        else if (byte === QUOTE) state = 'outside';
      } else if (byte === QUOTE) {
        if (this.#beginMedium()) {
          this.#state = 'outside';
          this.#keep(chunk.subarray(kept, at + 1));
          return at + 1;
        }
        this.#stringAt = this.#rest.length + at - kept;
        state = 'string';
      } else if (byte === COLON) {
        this.#keep(chunk.subarray(kept, at));
        kept = at;
        this.#readName();
      } else this.#readMark(byte);
    }
    this.#state = state;
    this.#keep(chunk.subarray(kept));
    return chunk.length;
  }

  #readMark(byte: number): void {
    const top = this.#levels.at(-1);
    if (byte === BRACE || byte === BRACKET) {
      if (this.#levels.length === MAX_DEPTH) throw this.#invalid(`is nested more than ${MAX_DEPTH} deep`);
      this.#levels.push({ names: byte === BRACE ? new Set() : null, name: null });
    } else if (byte === COMMA) {
      if (top !== undefined) top.name = null;
    } else {
      if (byte === END_BRACE || byte === END_BRACKET) this.#levels.pop();
      return;
    }
    // Behind each of these comes a member or an element, or nothing at all.
    this.#values += 1;
    if (this.#values > MAX_VALUES) throw this.#invalid(`has more than ${MAX_VALUES} members and elements`);
  }

  /** What was read before a colon is a name. */
  #readName(): void {
    const top = this.#levels.at(-1);
    if (!top?.names || top.name !== null) throw new SyntaxError();
    const name = String(JSON.parse(this.#rest.from(this.#stringAt).toString()));
    const isPrototype = name === 'prototype' && this.#levels.at(-2)?.name === 'constructor';
    const shown = JSON.stringify(name.slice(0, 64));
    if (name === '__proto__' || isPrototype) throw this.#invalid(`may not have the member ${shown}`);
    if (top.names.has(name)) throw this.#invalid(`has the member ${shown} twice`);
    top.names.add(name);
    top.name = name;
  }

  /** Whether a string that begins here is media. */
  #beginMedium(): boolean {
    const member = this.#levels.length === 1 ? this.#levels[0]?.name : null;
    if (!member || !this.#mediaMembers.has(member)) return false;
    if (this.#media.has(member)) throw new SyntaxError(); // A second string in the place of one.
    this.#medium = new MediaString(member, this.#mediaMembers.get(member));
    return true;
  }

  /** Returns what is behind the closing quote, or the end of the chunk. */
  #readMedium(medium: MediaString, chunk: Buffer, from: number): number {
    const end = medium.read(chunk, from);
    if (end === -1) return chunk.length;
    this.#medium = null;
    this.#keep(Buffer.from(medium.isEmpty ? '"' : '?"'));
    this.#media.set(medium.member, medium.end());
    return end + 1;
  }

  #keep(bytes: Buffer): void {
    this.#rest.append(bytes);
    if (this.#rest.length <= MAX_REST_BYTES) return;
    const detail = `${this.#subject} may have ${MAX_REST_BYTES} bytes, media aside.`;
    throw new ProblemError('payload-too-large', detail);
  }

  #refusing<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw error instanceof SyntaxError ? this.#invalid('is not well-formed JSON') : error;
    }
  }

  #invalid(predicate: string): ProblemError {
    return new ProblemError('invalid-json', `${this.#subject} ${predicate}.`);
  }
}
