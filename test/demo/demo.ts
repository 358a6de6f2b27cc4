/**
 * The main job, end to end, on this machine alone: a simulator in place of Modellix, the gateway on its embedded
 * store, one portrait and one sentence in, one video out. `--keep` leaves both running.
 */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { AvatarView } from '../../src/http/schemas/avatar.js';
import { startGateway, startSimulatorProcess } from '../support/processes.js';

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const KEY = 'demo-key';
const LOOK_EVERY_MS = 250;

const { keep } = parseArgs({ options: { keep: { type: 'boolean', default: false } } }).values;

const dataDir = await mkdtemp(join(tmpdir(), 'avatar-gateway-demo-'));
const simulator = await startSimulatorProcess({ SIMULATOR_API_KEYS: KEY });
const gateway = await startGateway({
  MODELLIX_API_KEY: KEY,
  MODELLIX_BASE_URL: simulator.url,
  DATA_DIR: dataDir,
  POLL_MIN_SECONDS: '1',
  POLL_MAX_SECONDS: '2',
  PORT: process.env.PORT ?? (keep ? '8080' : '0'),
});

async function end(): Promise<void> {
  await gateway.stop();
  await simulator.stop();
  await rm(dataDir, { recursive: true, force: true });
}

try {
  const avatar = await watch(await create());
  if (avatar.video === null) throw new Error(`the avatar ended as ${avatar.status}: ${avatar.error?.detail}`);
  const video = await fetch(`${gateway.url}${avatar.video.url}`);
  if (!video.ok) throw new Error(`the video answered ${video.status}: ${await video.text()}`);
  const file = here('avatar.mp4');
  await writeFile(file, Buffer.from(await video.arrayBuffer()));
  process.stdout.write(`wrote ${relative(process.cwd(), file)}\n`);
} catch (error) {
  process.stderr.write(`\nthe demo failed: ${(error as Error).message}\n${gateway.output()}`);
  process.exitCode = 1;
}

if (keep && process.exitCode !== 1) {
  process.stdout.write(`Swagger UI: ${gateway.url}/docs   (Ctrl-C ends it)\n`);
  process.once('SIGINT', end).once('SIGTERM', end);
} else {
  process.stdout.write(`Swagger UI was at ${gateway.url}/docs; npm run demo -- --keep leaves it running\n`);
  await end();
}

async function create(): Promise<AvatarView> {
  const base64 = async (name: string) => (await readFile(here(name))).toString('base64');
  const response = await fetch(`${gateway.url}/avatars`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      image: await base64('portrait.jpg'),
      sound_file: await base64('speech.mp3'),
      prompt: 'She smiles and nods while she speaks.',
    }),
  });
  if (response.status !== 202)
    throw new Error(`POST /avatars answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as AvatarView;
}

/** Looks at the avatar until it is final, and shows how far it is on one line. */
async function watch(avatar: AvatarView): Promise<AvatarView> {
  const startedAt = Date.now();
  let now = avatar;
  for (;;) {
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
    const cost = now.cost.estimate === null ? '' : `, about ${now.cost.estimate} USD`;
    const line = `${now.id}  ${now.status.padEnd(10)} ${seconds} s${cost}`;
    if (process.stdout.isTTY) process.stdout.write(`\r${line}`);
    if (now.completed_at !== null) {
      process.stdout.write(process.stdout.isTTY ? '\n' : `${line}\n`);
      return now;
    }
    await pause(LOOK_EVERY_MS);
    now = (await (await fetch(`${gateway.url}${avatar.links.self}`)).json()) as AvatarView;
  }
}
