/** Opens what the app is made of, by its Config, and says in the log what becomes of it. */

import { EventEmitter, once } from 'node:events';
import type { Callers } from './callers/open.js';
import type { Config } from './config/config.js';
import { ConfigError } from './config/read-config.js';
import { loosePermissions } from './disk/permissions.js';
import type { Log } from './gateway/log.js';
import { watchKeyFile } from './modellix/key-file.js';
import { KeyPool, type Keyring } from './modellix/keyring.js';
import { readProxies } from './modellix/proxies.js';
import type { RedisEvent } from './store/redis/redis.js';
import type { Store } from './store/store.js';
import { openVideoFolder, type VideoFolder } from './videos/folder.js';

/** How long a kept video may outlive its avatar: clocks and folders are not always of one mind. */
const KEPT_BEYOND_MS = 86_400_000;

/** What stops the start and can be put right from outside. The message is one line. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** @returns `null` where callers are not told apart */
export async function openCallersOf(config: Config, log: Log): Promise<Callers | null> {
  if (config.callers.kind !== 'file') return null;
  const { file } = config.callers;
  const [{ openCallers }, { CallersError }] = await Promise.all([
    import('./callers/open.js'),
    import('./callers/read.js'),
  ]);
  return openCallers({
    file,
    now: Date.now,
    onEvent(event) {
      if (event.kind === 'changed') {
        log.info({ callers: event.callers }, 'the file of callers was read again');
        void warnOfLooseFiles(config, log, file);
      } else {
        log.error({ reason: event.reason }, 'the file of callers is invalid; the callers of before go on');
      }
    },
  }).catch((error: Error) => {
    throw error instanceof CallersError ? new ConfigError(`CALLERS_FILE: ${error.message}`) : error;
  });
}

/** Of all files that hold secrets, or of the one that has changed. Variables are named, files are not. */
export async function warnOfLooseFiles({ secretFiles }: Config, log: Log, changed?: string): Promise<void> {
  for (const { variable, file } of secretFiles) {
    const permissions = changed === undefined || changed === file ? await loosePermissions(file) : null;
    if (permissions === null) continue;
    log.warn({ variable, permissions }, 'a file that holds secrets can be read or changed by others');
  }
}

/** Without its login. */
export function logProxy({ modellix: { baseUrl, proxies } }: Config, log: Log): void {
  const proxy = readProxies(proxies)(new URL(baseUrl));
  if (proxy === null) return;
  log.info({ proxy: new URL(proxy.origin).host }, 'requests to Modellix go through a proxy');
}

export function openKeyring(config: Config, log: Log): Keyring {
  const { keys, keyFile } = config.modellix;
  if (keyFile === null) return new KeyPool(keys);
  return watchKeyFile(keyFile, keys, (event) => {
    if (event.kind === 'changed') {
      log.info({ keys: event.keys }, 'the file of keys was read again');
      void warnOfLooseFiles(config, log, keyFile);
    } else {
      log.error({ reason: event.reason }, 'the file of keys is invalid; the keys of before go on');
    }
  });
}

/** @throws {StartError} */
export async function openVideos(
  { videos: { keep }, gateway: { retentionMs } }: Config,
  log: Log,
): Promise<VideoFolder | null> {
  if (keep === null) return null;
  const keptForMs = retentionMs + KEPT_BEYOND_MS;
  const onTrouble = (error: unknown) => log.warn({ err: error }, 'the folder of kept videos makes trouble');
  return openVideoFolder({ ...keep, keptForMs, onTrouble }).catch((cause: NodeJS.ErrnoException) => {
    const why = `KEEP_VIDEOS_DIR=${keep.dir} cannot be written (${cause.code})`;
    throw new StartError(`${why}: videos are kept there`, { cause });
  });
}

/** What the other store and the file of callers are read with is not loaded: a good part of the start would go into it. */
export async function openStore({ store, dataDir }: Config, log: Log): Promise<Store> {
  if (store.kind === 'embedded') {
    const { openSqliteStore } = await import('./store/sqlite/sqlite.js');
    return openSqliteStore({ dir: dataDir });
  }
  const { openRedisStore } = await import('./store/redis/redis.js');
  const events = new EventEmitter<{ redis: [RedisEvent] }>();
  events.on('redis', (event) => logRedis(event, log));
  const opened = openRedisStore({ ...store, onEvent: (event) => events.emit('redis', event) });
  if (store.durability === 'strict') {
    const [event] = (await once(events, 'redis')) as [RedisEvent];
    await refuseUnsafe(event, opened);
  }
  return opened;
}

/** A Redis that is away may come later; one that can lose tasks stops the start. */
async function refuseUnsafe(event: RedisEvent, store: Store): Promise<void> {
  if (event.kind !== 'hazards') return;
  await store.close();
  throw new Error(
    `REDIS_DURABILITY=strict, and this Redis can lose tasks, or have them paid twice: ${event.hazards.join('; ')}`,
  );
}

function logRedis(event: RedisEvent, log: Log): void {
  switch (event.kind) {
    case 'connected':
      log.info({}, 'connected to Redis');
      break;
    case 'lost':
      log.warn({ err: event.error }, 'the connection to Redis is lost');
      break;
    case 'hazards':
      log.warn({ hazards: event.hazards }, 'this Redis can lose tasks, or have them paid twice');
      break;
    case 'emptied':
      log.error(
        {},
        'Redis came back empty: the avatars that were in it are lost, and their keys may be used again',
      );
      break;
    case 'rolled-back':
      log.error(
        {},
        'Redis came back as it was earlier: what was written last is lost; what this process sent is not sent again',
      );
  }
}
