/**
 * The main job, end to end: one portrait and one sentence in, one video out. By itself it needs this machine alone: a
 * simulator in place of Modellix, the gateway on its embedded store. `--push` has the simulator push the end, so that the gateway
 * does not poll for it; `--keep` leaves both running; `--url` takes a gateway that runs already instead.
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

const flag = { type: 'boolean', default: false } as const;
const {
  keep,
  push,
  url: given,
} = parseArgs({ options: { keep: flag, push: flag, url: { type: 'string' } } }).values;

const POLLED = { POLL_MIN_SECONDS: '1', POLL_MAX_SECONDS: '2' };
const PUSHED = {
  POLL_MIN_SECONDS: '60',
  POLL_MAX_SECONDS: '60',
  MODELLIX_WEBHOOK_URL: 'https://gateway.example.com',
};

if (given === undefined) {
  await onAStage();
} else {
  await perform(given.replace(/\/$/, '')).catch(({ message }: Error) => {
    process.stderr.write(`\nthe demo failed: ${message}\n`);
    process.exitCode = 1;
  });
}

/** With a gateway and a simulator of its own. */
async function onAStage(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'avatar-gateway-demo-'));
  const simulator = await startSimulatorProcess({ SIMULATOR_API_KEYS: KEY });
  const gateway = await startGateway({
    MODELLIX_API_KEY: KEY,
    MODELLIX_BASE_URL: simulator.url,
    DATA_DIR: dataDir,
    // A minute is longer than the task takes: nobody polls before it is pushed.
    ...(push ? PUSHED : POLLED),
    PORT: process.env.PORT ?? (keep ? '8080' : '0'),
  });
  // The way from the public address to the gateway, which a proxy would be.
  if (push) await control(simulator.url, 'settings', { pushes: { origins: [gateway.url] } });
  const end = async () => {
    await gateway.stop();
    await simulator.stop();
    await rm(dataDir, { recursive: true, force: true });
  };

  const performance = perform(gateway.url).then(() => (push ? countCalls(simulator.url) : undefined));
  await performance.catch(({ message }: Error) => {
    process.stderr.write(`\nthe demo failed: ${message}\n${gateway.output()}`);
    process.exitCode = 1;
  });
  if (keep && process.exitCode !== 1) {
    process.stdout.write(`Swagger UI: ${gateway.url}/docs   (Ctrl-C ends it)\n`);
    process.once('SIGINT', end).once('SIGTERM', end);
  } else {
    process.stdout.write(`Swagger UI was at ${gateway.url}/docs; npm run demo -- --keep leaves it running\n`);
    await end();
  }
}

/** Shows what was asked of the simulator: with pushes, it is the submit and one query. */
async function countCalls(simulator: string): Promise<void> {
  const { calls } = (await control(simulator, 'calls')) as { calls: { kind: string }[] };
  const { pushes } = (await control(simulator, 'pushes')) as { pushes: { status: number | null }[] };
  const kinds = calls.map(({ kind }) => kind).filter((kind) => kind === 'submit' || kind === 'query');
  const statuses = pushes.map(({ status }) => status);
  process.stdout.write(
    `calls to the simulator: ${kinds.join(', ')}; its push was answered ${statuses.join(', ')}\n`,
  );
  if (kinds.length !== 2) throw new Error(`there were ${kinds.length} calls in place of two`);
}

async function control(simulator: string, path: string, patch?: object): Promise<unknown> {
  const init = patch === undefined ? {} : { method: 'PATCH', body: JSON.stringify(patch) };
  return (await answered(200, path, fetch(`${simulator}/_control/${path}`, init))).json();
}

/** Makes one avatar and writes its video. */
async function perform(url: string): Promise<void> {
  const avatar = await watch(url, await create(url));
  if (avatar.video === null) throw new Error(`the avatar ended as ${avatar.status}: ${avatar.error?.detail}`);
  const video = await answered(200, 'the video', fetch(`${url}${avatar.video.url}`));
  const file = here('avatar.mp4');
  await writeFile(file, Buffer.from(await video.arrayBuffer()));
  process.stdout.write(`wrote ${relative(process.cwd(), file)}\n`);
}

async function create(url: string): Promise<AvatarView> {
  const base64 = async (name: string) => (await readFile(here(name))).toString('base64');
  const request = fetch(`${url}/avatars`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      image: await base64('portrait.jpg'),
      sound_file: await base64('speech.mp3'),
      prompt: 'She smiles and nods while she speaks.',
    }),
  });
  return (await answered(202, 'POST /avatars', request)).json() as Promise<AvatarView>;
}

/** Looks at the avatar until it is final, and shows how far it is on one line. */
async function watch(url: string, avatar: AvatarView): Promise<AvatarView> {
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
    const read = await answered(200, 'the avatar', fetch(`${url}${avatar.links.self}`));
    now = (await read.json()) as AvatarView;
  }
}

async function answered(status: number, what: string, request: Promise<Response>): Promise<Response> {
  const response = await request.catch((error: Error) => {
    throw new Error(`${what}: ${error.cause instanceof Error ? error.cause.message : error.message}`);
  });
  if (response.status === status) return response;
  throw new Error(`${what} answered ${response.status}: ${await response.text()}`);
}
