import { readFileSync } from 'node:fs';

const base64Of = (name: string) => readFileSync(new URL(name, import.meta.url), 'base64');

/** What "Try it out" sends: a drawn portrait and two seconds of synthesised speech, both made for this project. */
export const example = {
  prompt: 'She smiles and nods while she speaks.',
  mode: 'std',
  external_id: 'order-1042',
  sound_file: base64Of('example.mp3'),
  image: base64Of('example.png'),
};

const id = 'av_5f0c1e7b9a3d4c2e8f6a7b1d0c9e8f7a';
const self = `/avatars/${id}`;

/** What comes of it. */
export const avatarExample = {
  id,
  caller: 'shop',
  status: 'pending',
  mode: 'std',
  prompt: example.prompt,
  external_id: example.external_id,
  metadata: {},
  image: { source: 'inline', format: 'png', width: 300, height: 400, bytes: 1515 },
  audio: { source: 'inline', format: 'mp3', duration_seconds: 2.271, bytes: 2529 },
  video: null,
  error: null,
  cost: { currency: 'USD', estimate: 0.1017, reserved: 0.1017, settled: null, basis: 'estimated' },
  queue: null,
  callback: null,
  task_id: 'task-avatar001',
  created_at: '2026-11-22T10:00:00.000Z',
  start_by: null,
  submitted_at: '2026-11-22T10:00:01.250Z',
  completed_at: null,
  expires_at: null,
  links: { self, events: `${self}/events`, video: `${self}/video` },
};

/** What a check of it says. */
const { mode, image, audio, cost } = avatarExample;
export const checkExample = { mode, image, audio, cost, warnings: [] };
