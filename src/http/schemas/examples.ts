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

/** What comes of it. */
export const avatarExample = {
  id: 'av_5f0c1e7b9a3d4c2e8f6a7b1d0c9e8f7a',
  caller: 'shop',
  status: 'pending',
  mode: 'std',
  prompt: 'She smiles and nods while she speaks.',
  external_id: 'order-1042',
  metadata: {},
  image: { source: 'inline', format: 'png', width: 300, height: 400, bytes: 1515 },
  audio: { source: 'inline', format: 'mp3', duration_seconds: 2.271, bytes: 2529 },
  video: null,
  error: null,
  cost: { currency: 'USD', estimate: 0.1017, reserved: 0.1017, settled: null },
  queue: null,
  callback: null,
  task_id: 'task-avatar001',
  created_at: '2026-11-22T10:00:00.000Z',
  submitted_at: '2026-11-22T10:00:01.250Z',
  completed_at: null,
  expires_at: null,
  links: {
    self: '/avatars/av_5f0c1e7b9a3d4c2e8f6a7b1d0c9e8f7a',
    events: '/avatars/av_5f0c1e7b9a3d4c2e8f6a7b1d0c9e8f7a/events',
    video: '/avatars/av_5f0c1e7b9a3d4c2e8f6a7b1d0c9e8f7a/video',
  },
};

/** What a check of it says. */
export const checkExample = {
  mode: avatarExample.mode,
  image: avatarExample.image,
  audio: avatarExample.audio,
  cost: avatarExample.cost,
  warnings: [],
};
