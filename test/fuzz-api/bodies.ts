/** Bodies: what the schema asks for in JSON or as a form, and what can be wrong with it. */

import type { Chance } from '../storm/random.js';
import type { ApiDocument, JsonSchema } from './document.js';
import { damaged, FILES } from './recipes.js';
import { hostile, type Values } from './values.js';

export interface Body {
  readonly type: string;
  readonly bytes: Buffer;
  /** Whether it is as the schema asks; `null`: nobody can tell from the schema. */
  readonly isGood: boolean | null;
}

interface Maker {
  readonly chance: Chance;
  readonly document: ApiDocument;
  readonly values: Values;
  readonly schema: JsonSchema;
  readonly isFlawed: boolean;
}

export function makeBody(maker: Maker, type: string): Body {
  return type === 'multipart/form-data' ? form(maker) : json(maker, type);
}

type Members = Record<string, unknown>;

function json({ chance, document, values, schema, isFlawed }: Maker, type: string): Body {
  const value = values.good(chance, schema, '') as Members;
  if (!isFlawed) return { type, bytes: Buffer.from(JSON.stringify(value)), isGood: true };
  if (chance.is(0.25)) return { type, bytes: brokenText(chance, JSON.stringify(value)), isGood: null };
  const flawed = chance.is(0.1) ? hostile(chance, value) : flawedMembers(chance, value);
  const text = JSON.stringify(flawed);
  // Whether `null` is as good as nothing is up to the route.
  const mayBeGood = text.includes('null') || document.fault(schema, JSON.parse(text)) === null;
  return { type, bytes: Buffer.from(text), isGood: mayBeGood ? null : false };
}

/** One or two members that are not what they were. */
function flawedMembers(chance: Chance, value: Members): unknown {
  let members = { ...value };
  for (let times = chance.between(1, 2); times > 0; times--) {
    const names = Object.keys(members);
    const name = names.length === 0 ? 'nothing' : chance.pick(names);
    const before = members[name];
    switch (chance.pick(['hostile', 'hostile', 'hostile', 'within', 'gone', 'more', 'renamed', 'damaged'])) {
      case 'gone':
        delete members[name];
        break;
      case 'more':
        members[chance.pick(['extra', '', '__proto', 'constructor', 'a/b~c', 'N'.repeat(300)])] = 'x';
        break;
      case 'renamed':
        members = { ...members, [name.toUpperCase()]: before };
        break;
      case 'within':
        members[name] =
          typeof before === 'object' ? flawedMembers(chance, { ...before }) : hostile(chance, before);
        break;
      case 'damaged': {
        const files = FILES.get(name);
        if (files !== undefined) members[name] = damaged(chance, chance.pick(files)).toString('base64');
        break;
      }
      default:
        members[name] = hostile(chance, before);
    }
  }
  return members;
}

/** What is no JSON, or not one that is taken. */
function brokenText(chance: Chance, text: string): Buffer {
  const at = chance.between(0, text.length);
  const [head, tail] = [text.slice(0, at), text.slice(at)];
  return chance.pick([
    () => Buffer.from(head),
    () => Buffer.from(`${text}${chance.pick(['}', ' 1', text, '\0', ','])}`),
    () => Buffer.from(`\ufeff${text}`),
    () => Buffer.from(text, 'utf16le'),
    () => Buffer.from(text.replace('{', '{"mode":"std","mode":"pro",')),
    () => Buffer.from(text.replace('{', '{"\\u005f_proto__":{"mode":"pro"},')),
    () => Buffer.from(text.replace(/:/, ':NaN,"a":')),
    () => Buffer.from(text.replace(/:/, ':1e999,"a":')),
    () => Buffer.from(text.replace(/:/, `:${'9'.repeat(400)},"a":`)),
    () => Buffer.from(text.replaceAll('"', "'")),
    () => Buffer.concat([Buffer.from(head), Buffer.from([chance.between(0x80, 0xff)]), Buffer.from(tail)]),
    () => Buffer.from(`${head}${chance.pick(['"', '\\', '\n', '{', ',', '\\ud800'])}${tail}`),
    () => Buffer.from('['.repeat(chance.pick([17, 1_000, 100_000]))),
    () => Buffer.from(''),
    () => Buffer.from(`{"image":"${'A'.repeat(300_000)}`),
  ])();
}

interface Part {
  readonly head: string;
  readonly value: Buffer;
}

function form({ chance, values, schema, isFlawed }: Maker): Body {
  const boundary = chance.pick([
    'x',
    '----WebKitFormBoundary7MA4YWxkTrZu0gW',
    "it's (a) boundary, is it",
    'b'.repeat(70),
  ]);
  let members = values.good(chance, schema, '') as Members;
  if (isFlawed && chance.is(0.5)) members = flawedMembers(chance, members) as Members;
  const parts = Object.entries(members).map(([name, value]) => partOf(chance, name, value, isFlawed));
  if (isFlawed && chance.is(0.5)) flawParts(chance, parts);
  const written = parts.flatMap(({ head, value }) => [
    Buffer.from(`--${boundary}\r\n${head}\r\n\r\n`),
    value,
    Buffer.from('\r\n'),
  ]);
  const whole = Buffer.concat([...written, Buffer.from(`--${boundary}--\r\n`)]);
  const type = `multipart/form-data; boundary="${boundary}"`;
  if (!isFlawed) return { type, bytes: whole, isGood: true };
  const bytes = chance.pick([
    () => whole,
    () => whole,
    () => whole.subarray(0, chance.between(0, whole.length - 1)),
    () => Buffer.concat([Buffer.alloc(chance.pick([1, 70_000]), 'p'), whole]),
    () => Buffer.concat([whole, Buffer.alloc(chance.pick([1, 70_000]), 'e')]),
    () => damaged(chance, whole),
  ])();
  const named = chance.is(0.8)
    ? type
    : chance.pick([
        'multipart/form-data',
        'multipart/form-data; boundary=',
        'multipart/form-data; boundary=other',
        `multipart/form-data; boundary=${'b'.repeat(200)}`,
        `Multipart/Form-Data; charset=utf-8; boundary="${boundary}"`,
      ]);
  return { type: named, bytes, isGood: null };
}

function partOf(chance: Chance, name: string, value: unknown, isFlawed: boolean): Part {
  const quoted = name.replace(/["\r\n]/g, '_');
  const files = FILES.get(name);
  if (files === undefined || chance.is(0.2)) {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return { head: `Content-Disposition: form-data; name="${quoted}"`, value: Buffer.from(text ?? '') };
  }
  const bytes = chance.pick(files);
  return {
    head: `Content-Disposition: form-data; name="${quoted}"; filename="../a b.png"\r\nContent-Type: image/png`,
    value: isFlawed && chance.is(0.3) ? damaged(chance, bytes) : bytes,
  };
}

function flawParts(chance: Chance, parts: Part[]): void {
  const some = (head: string): Part => ({ head, value: Buffer.from('x') });
  const disposition = 'Content-Disposition: form-data';
  const extra = chance.pick<() => readonly Part[]>([
    () => parts.slice(0, 1),
    () => [some(`${disposition}; name="unknown"`)],
    () => [some(`${disposition}; name="__proto__"`)],
    () => [some(disposition)],
    () => [some('X-Nothing: y')],
    () => [some(`${disposition}; name*=UTF-8''image`)],
    () => [some(`${disposition}; name="image"; filename*=UTF-8''%00`)],
    () => [some('Content-Disposition: attachment; name="prompt"')],
    () => [some(`${disposition}; name="prompt"\r\nContent-Type: multipart/mixed; boundary=y`)],
    () => [some(`${disposition}; name="metadata"\r\nContent-Type: application/json`)],
    () => [some(`${disposition}; name="prompt"\r\nContent-Transfer-Encoding: base64`)],
    () => [some(`${disposition}; name="prompt"\r\n${'X-A: b\r\n'.repeat(3_000)}X-B: c`)],
    () => Array.from({ length: 1_000 }, () => some(`${disposition}; name="prompt"`)),
    () => [{ ...some(`${disposition}; name="prompt"`), value: Buffer.alloc(400_000, 'a') }],
  ])();
  parts.splice(chance.between(0, parts.length), 0, ...extra);
}
