/** The Lua scripts beside this file: what they are given, and when Redis runs them. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SCHEMA } from '../../record.js';
import { FEED_MS, USE_MS } from '../../store.js';
import { AT_KEY, ENTRY_TIME, HOLDS_SLOT, MARKS, UNFINISHED } from '../marks.js';

/** How long an upload is kept: far longer than a piece may take, so that only what nobody goes on with expires. */
export const UPLOAD_MS = 60_000;
/** How long a record that cannot be read is kept, for somebody to look at. */
const QUARANTINE_MS = 30 * 24 * 3_600_000;

/** What each script finds under `a`. */
const ARGUMENTS = {
  admit: [
    'id',
    'content',
    'submission',
    'pieces',
    'bytes',
    'due',
    'doubt',
    'maxAvatars',
    'maxBytes',
    'step',
    'unfinished',
    'date',
    'day',
    'month',
    'begin',
  ],
  begin: ['begin', 'limit', 'large', 'inline'],
  claim: ['key', 'ids', 'limit', 'lease', 'overdue', 'calls', 'slots'],
  take: ['key', 'calls'],
  save: ['id', 'version', 'content', 'due', 'drop', 'slotFor', 'silent', 'spend'],
  remove: ['id', 'version'],
  quarantine: ['id', 'stored'],
  swap: ['name', 'revision', 'value'],
  count: ['window', 'added'],
  ping: [],
  find: ['id', 'caller'],
  list: ['list', 'stem', 'more', 'marks', 'gt', 'lt', 'limit'],
  feed: ['feed', 'after', 'limit'],
  outlook: ['keys'],
  document: ['name'],
} as const;

export type ScriptName = keyof typeof ARGUMENTS;
export type ScriptArgument = string | number | Buffer;
export type Arguments<S extends ScriptName> = Readonly<Record<(typeof ARGUMENTS)[S][number], ScriptArgument>>;

const READS: ReadonlySet<ScriptName> = new Set(['find', 'list', 'feed', 'outlook', 'document']);
const TAKES_CALLS: ReadonlySet<ScriptName> = new Set(['admit', 'begin', 'claim', 'take']);

/** What scripts know of statuses and times. */
const CONSTANTS = {
  ...{ QUEUED: MARKS.queued, SUBMITTING: MARKS.submitting, HOLDS: HOLDS_SLOT, AT_KEY, UNFINISHED },
  ...{ SCHEMA, ENTRY_TIME, FEED_MS, USE_MS, UPLOAD_MS, QUARANTINE_MS },
};

export interface Script {
  readonly lua: string;
  readonly sha: string;
  readonly names: readonly string[];
}

export function loadScripts(): Readonly<Record<ScriptName, Script>> {
  const load = (name: ScriptName): Script => {
    const names: readonly string[] = ARGUMENTS[name];
    const table = names.map((each, i) => `${each}=ARGV[${i + 1}]`).join(', ');
    const constants = Object.entries(CONSTANTS).map(
      ([each, value]) => `local ${each} = ${JSON.stringify(value)}\n`,
    );
    const lua = [
      flagsOf(name),
      `local a = {${table}}\n`,
      ...constants,
      read('prelude'),
      TAKES_CALLS.has(name) ? read('submits') : '',
      read(name),
    ].join('');
    return { lua, names, sha: createHash('sha1').update(lua).digest('hex') };
  };
  const names = Object.keys(ARGUMENTS) as ScriptName[];
  return Object.fromEntries(names.map((name) => [name, load(name)])) as Record<ScriptName, Script>;
}

/**
 * A full Redis refuses what fills it further alone: the rest is how it gets room again. Without flags it is the first command
 * that takes memory which is refused, so that what is known already is still said. A replica runs what only reads.
 */
function flagsOf(name: ScriptName): string {
  if (name === 'admit') return '';
  return `#!lua flags=${READS.has(name) ? 'no-writes' : 'allow-oom'}\n`;
}

function read(name: string): string {
  return readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8');
}
