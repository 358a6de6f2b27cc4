/** Avatars in words. Whatever somebody else wrote is made fit for a terminal. */

import type { Avatar, Check } from '../client/index.js';
import { aligned, moment, shown, size } from './text.js';

/** All there is to know of one, a line for each fact. */
export function details(avatar: Avatar): string {
  const { video, error, queue, callback } = avatar;
  return `${shown(avatar.id)}\n${lines([
    ['status', statusText(avatar)],
    ['error', error && `${error.title}: ${error.detail}`],
    ['queue', queue?.estimated_start_at ? `may start ${moment(queue.estimated_start_at)}` : null],
    ['mode', avatar.mode],
    ['prompt', avatar.prompt],
    ...mediaFacts(avatar),
    ['video', video && joined(video.format ?? 'ready', dimensions(video), bytes(video.bytes))],
    ['external id', avatar.external_id],
    ...Object.entries(avatar.metadata).map(([name, value]) => ['metadata', `${name}=${value}`] as const),
    ['callback', callback && `${callback.state}, ${callback.url}`],
    ['task', avatar.task_id],
    ['made', moment(avatar.created_at)],
    ['start by', avatar.start_by && moment(avatar.start_by)],
    ['submitted', avatar.submitted_at && moment(avatar.submitted_at)],
    ['ended', avatar.completed_at && moment(avatar.completed_at)],
    ['forgotten', avatar.expires_at && moment(avatar.expires_at)],
  ])}`;
}

/** What was found in media that can be used, and what an avatar of them would cost. */
export function checkText(check: Check): string {
  return lines([...mediaFacts(check), ['mode', check.mode]]);
}

function mediaFacts({ image, audio, cost }: Pick<Check, 'image' | 'audio' | 'cost'>): Fact[] {
  return [
    ['image', joined(image.source, image.format, dimensions(image), bytes(image.bytes))],
    ['audio', joined(audio.source, audio.format, seconds(audio.duration_seconds), bytes(audio.bytes))],
    ['cost', costText(cost)],
  ];
}

function costText({ estimate, settled, basis, currency }: Check['cost']): string | null {
  if (basis === 'billed') return `${settled} ${currency}, as billed`;
  const about = settled ?? estimate;
  return about === null ? null : `about ${about} ${currency}`;
}

/** A name, and what there is of it. */
type Fact = readonly [name: string, value: string | null];

function lines(facts: readonly Fact[]): string {
  return facts
    .map(([name, value]) => (value === null ? '' : `  ${name.padEnd(12)}${shown(value)}\n`))
    .join('');
}

/** `queued, place 3`; otherwise the status alone. */
export function statusText({ status, queue }: Avatar): string {
  return queue === null ? status : `${status}, place ${queue.position}`;
}

const HEADINGS = ['ID', 'STATUS', 'MODE', 'MADE', 'AUDIO', 'USD', 'EXTERNAL ID', 'PROMPT'];

/** A line for each, below headings. Cut to the width of a terminal, where there is one. */
export function table(avatars: readonly Avatar[], columns: number | null): string {
  return aligned([HEADINGS, ...avatars.map(cells)], columns);
}

function cells({ id, status, mode, created_at, audio, cost, external_id, prompt }: Avatar): string[] {
  const texts = [
    id,
    status,
    mode,
    moment(created_at),
    seconds(audio.duration_seconds) ?? '-',
    (cost.settled ?? cost.estimate)?.toString() ?? '-',
    external_id ?? '-',
    prompt ?? '-',
  ];
  return texts.map(shown);
}

const seconds = (count: number | null) => (count === null ? null : `${count.toFixed(1)} s`);
const bytes = (count: number | null) => (count === null ? null : size(count));
const dimensions = ({ width, height }: { readonly width: number | null; readonly height: number | null }) =>
  width === null || height === null ? null : `${width}x${height}`;
const joined = (...facts: (string | null)[]) => facts.filter((fact) => fact !== null).join(', ');
