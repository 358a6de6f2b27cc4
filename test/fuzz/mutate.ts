/** What is done to a file: cut, bits turned, pieces moved, lengths that lie, counts without end, noise. */

import type { Chance } from '../storm/random.js';
import type { Target } from './target.js';

interface Work {
  readonly chance: Chance;
  readonly target: Target;
  /** Another file, to take something from. */
  readonly other: Buffer;
}

type Mutation = (bytes: Buffer, work: Work) => Buffer;

/** Where parsers end, overflow, or take a number for a negative one. */
const LIES = [0, 1, 2, 3, 7, 8, 9, 12, 16, 127, 128, 255, 256, 0x7fff, 0x8000, 0xfffe, 0xffff];
const LARGE_LIES = [
  0x10000, 0xffffff, 0x7ffffffe, 0x7fffffff, 0x80000000, 0xfffffff8, 0xfffffffe, 0xffffffff,
];

/** Headers stand at the front: half of all places are looked for there. */
const FRONT = 700;

/** One in so many files is grown to what is allowed at most. */
const GROWN = 400;

/** Up to a thousand, small numbers more often. */
const few = (chance: Chance) => 2 ** chance.between(1, 10);

function place({ chance }: Work, bytes: Buffer): number {
  const end = chance.is(0.5) ? Math.min(bytes.length, FRONT) : bytes.length;
  return end === 0 ? 0 : chance.between(0, end - 1);
}

/** A place and a length behind it, most of them short. */
function range(work: Work, bytes: Buffer): readonly [from: number, to: number] {
  const from = place(work, bytes);
  const most = work.chance.is(0.7) ? 32 : bytes.length;
  return [from, Math.min(bytes.length, from + work.chance.between(1, Math.max(1, most)))];
}

/** A place where a name of four letters begins, or any. */
function named(work: Work, bytes: Buffer): number {
  const from = place(work, bytes);
  for (let at = from; at + 4 < Math.min(bytes.length, from + 64); at++) {
    if (/^[A-Za-z ]{4}$/.test(bytes.toString('latin1', at, at + 4))) return at;
  }
  return from;
}

function noise({ chance }: Work, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => chance.between(0, 255)));
}

/** A number written over the bytes at a place, as wide as it fits, in either order. */
function lieAt(bytes: Buffer, at: number, { chance }: Work): Buffer {
  const copy = Buffer.from(bytes);
  const width = chance.pick([1, 2, 4, 4, 8]);
  if (at < 0 || at + width > copy.length) return copy;
  const near = [copy.length, copy.length - at, copy.length - at - width].map(
    (n) => n + chance.between(-2, 2),
  );
  const value = BigInt(chance.pick([...LIES, ...LARGE_LIES, ...near]));
  const digits = Array.from({ length: width }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
  copy.set(chance.is(0.5) ? digits : digits.reverse(), at);
  return copy;
}

const join = (...parts: readonly Buffer[]) => Buffer.concat(parts);

const MUTATIONS: readonly Mutation[] = [
  // Cut at the end, cut at the front.
  (bytes, work) => bytes.subarray(0, place(work, bytes)),
  (bytes, work) => bytes.subarray(place(work, bytes)),
  // Bits turned.
  (bytes, work) => {
    const copy = Buffer.from(bytes);
    for (let left = work.chance.between(1, 8); left > 0 && copy.length > 0; left--) {
      const at = place(work, copy);
      copy.writeUInt8(copy.readUInt8(at) ^ (1 << work.chance.between(0, 7)), at);
    }
    return copy;
  },
  // A lie anywhere, and right before, behind or on a name.
  (bytes, work) => lieAt(bytes, place(work, bytes), work),
  (bytes, work) => lieAt(bytes, named(work, bytes) + work.chance.pick([-4, 4, 8, 12, 16, 0]), work),
  // A range taken out, put in twice, put in from another file, exchanged with another.
  (bytes, work) => {
    const [from, to] = range(work, bytes);
    return join(bytes.subarray(0, from), bytes.subarray(to));
  },
  (bytes, work) => {
    const [from, to] = range(work, bytes);
    return join(bytes.subarray(0, to), bytes.subarray(from));
  },
  (bytes, work) => {
    const [from, to] = range(work, work.other);
    const at = place(work, bytes);
    return join(bytes.subarray(0, at), work.other.subarray(from, to), bytes.subarray(at));
  },
  (bytes, work) => {
    const [a, b, c, d] = [...range(work, bytes), ...range(work, bytes)].sort((x, y) => x - y);
    return join(
      bytes.subarray(0, a),
      bytes.subarray(c, d),
      bytes.subarray(b, c),
      bytes.subarray(a, b),
      bytes.subarray(d),
    );
  },
  // A good beginning, and then noise.
  (bytes, work) => join(bytes.subarray(0, place(work, bytes)), noise(work, work.chance.between(1, 300))),
  // The pieces of the format: one gone, one twice, two exchanged, one from another file, one many times.
  ...[
    (pieces: Buffer[], at: number) => pieces.splice(at, 1),
    (pieces: Buffer[], at: number, { chance }: Work) =>
      pieces.splice(chance.between(0, pieces.length), 0, pieces[at] ?? Buffer.alloc(0)),
    (pieces: Buffer[], at: number, { chance }: Work) => {
      const to = chance.between(0, pieces.length - 1);
      [pieces[at], pieces[to]] = [pieces[to] ?? Buffer.alloc(0), pieces[at] ?? Buffer.alloc(0)];
    },
    (pieces: Buffer[], at: number, { chance, other, target }: Work) =>
      pieces.splice(at, chance.between(0, 1), chance.pick([other, ...(target.split?.(other) ?? [])])),
    (pieces: Buffer[], at: number, { chance, target }: Work) => {
      const piece = pieces[at] ?? Buffer.alloc(0);
      const most = Math.ceil(target.maxBytes / Math.max(1, piece.length));
      pieces.splice(at, 0, ...Array.from({ length: Math.min(few(chance), most) }, () => piece));
    },
  ].map(
    (change): Mutation =>
      (bytes, work) => {
        const pieces = [...(work.target.split?.(bytes) ?? [])];
        if (pieces.length === 0) return bytes;
        change(pieces, work.chance.between(0, pieces.length - 1), work);
        return join(...pieces);
      },
  ),
  // A box around the rest, and around that another, up to a thousand deep.
  (bytes, { chance, ...work }) => {
    const at = named({ chance, ...work }, bytes);
    const depth = few(chance);
    const name = bytes.subarray(at, at + 4);
    const heads = Array.from({ length: depth }, (_, i) => {
      const head = Buffer.alloc(4);
      head.writeUInt32BE(bytes.length - at + 8 * (depth - i));
      return join(head, name);
    });
    return join(bytes.subarray(0, Math.max(0, at - 4)), ...heads, bytes.subarray(Math.max(0, at - 4)));
  },
];

/** As large as it may be: a part of it again and again, in the middle or at the end. */
function grow(bytes: Buffer, work: Work): Buffer {
  const [from, to] = range(work, bytes);
  if (from === to) return bytes;
  const at = work.chance.is(0.5) ? to : bytes.length;
  const filling = Buffer.alloc(Math.max(0, work.target.maxBytes - bytes.length), bytes.subarray(from, to));
  return join(bytes.subarray(0, at), filling, bytes.subarray(at));
}

/** A file made from one by a few changes, never larger than the target takes. */
export function mutate(bytes: Buffer, work: Work): Buffer {
  const { chance, target } = work;
  let made = bytes;
  for (let left = chance.between(1, 4); left > 0; left--) {
    made = chance.pick(MUTATIONS)(made, work).subarray(0, target.maxBytes);
  }
  if (chance.between(1, GROWN) === 1) made = grow(made, work);
  const own = Buffer.from(made.subarray(0, target.maxBytes));
  if (chance.is(0.7)) target.mend?.(own);
  return own;
}
