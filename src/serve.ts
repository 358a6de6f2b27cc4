/** The process as a server: settings, listening, an orderly end. */

import closeWithGrace from 'close-with-grace';
import { buildApp, StartError } from './app.js';
import { type Config, ConfigError, readConfig } from './config.js';
import { createLog } from './log.js';

/** The gateway cannot run here and now. */
const EXIT_FAILURE = 1;
/** A setting is wrong. */
const EXIT_USAGE = 2;

/** Called with one line for whoever started it, where it cannot serve. */
export type Stop = (message: string, code: number) => never;

/** Serves until a signal ends it. */
export async function serve(version: string, stop: Stop): Promise<void> {
  const config = readSettings(stop);
  const log = createLog(config.logLevel);
  const app = await buildApp(config, log, version).catch((error: Error) => {
    if (error instanceof StartError) stop(error.message, EXIT_FAILURE);
    if (error instanceof ConfigError) stop(error.message, EXIT_USAGE);
    log.fatal({ err: error }, 'the gateway cannot be put together');
    stop('cannot start; the log says why', EXIT_FAILURE);
  });
  // Where there is nothing to read again, it ends the process as ever: a terminal that closes sends it too.
  const readsAgain = config.callers.kind === 'file';
  if (readsAgain) process.on('SIGHUP', () => void app.reload());
  const skip: closeWithGrace.AllEvents[] = readsAgain ? ['SIGHUP'] : [];
  closeWithGrace({ delay: config.shutdownGraceMs, logger: log, skip }, async ({ signal, err }) => {
    if (err) log.fatal({ err }, 'an error nobody caught');
    else log.info({ signal }, 'stopping');
    await app.close();
  });
  try {
    await app.server.listen({ host: config.host, port: config.port });
  } catch (error) {
    await app.close();
    stop(cannotListen(config, error as NodeJS.ErrnoException), EXIT_FAILURE);
  }
  app.start();
}

function readSettings(stop: Stop): Config {
  try {
    return readConfig();
  } catch (error) {
    if (error instanceof ConfigError) stop(error.message, EXIT_USAGE);
    throw error;
  }
}

function cannotListen({ host, port }: Config, { code, message }: NodeJS.ErrnoException): string {
  if (code === 'EADDRINUSE') return `PORT=${port} is in use on ${host}`;
  return `cannot listen on HOST=${host} PORT=${port} (${code ?? message})`;
}
