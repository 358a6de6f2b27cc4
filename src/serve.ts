/** The process as a server: settings, listening, an orderly end. */

import { setTimeout as pause } from 'node:timers/promises';
import closeWithGrace from 'close-with-grace';
import { type App, buildApp } from './app.js';
import type { Config } from './config/config.js';
import { ConfigError, forgetSecrets, readConfig } from './config/read-config.js';
import { connectionsWithin, maxOpenFiles } from './disk/open-files.js';
import { StartError } from './open.js';
import { createLog } from './telemetry/log.js';
import { LogOutput } from './telemetry/log-output.js';

/** The gateway cannot run here and now. */
const EXIT_FAILURE = 1;
/** A setting is wrong. */
const EXIT_USAGE = 2;

interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Connections that wait to be taken. Node's default, 511, is passed by a thousand callers who come at once, and who is beyond it tries
 * again after a second; the system bounds it, to 4096 as a rule (net.core.somaxconn).
 */
const BACKLOG = 4096;

/** How long whoever reads the log has for the last lines. */
const LAST_LINES_MS = 1000;

/** Called with one line for whoever started it, where it cannot serve. */
export type Stop = (message: string, code: number) => never;

/** Serves until a signal ends it. */
export async function serve(version: string, stop: Stop): Promise<void> {
  const settings = readSettings(stop);
  forgetSecrets();
  const output = new LogOutput(process.stdout);
  process.once('exit', () => output.flush());
  const log = createLog(settings.logLevel, output);
  const files = maxOpenFiles();
  const config = { ...settings, maxConnections: connectionsWithin(settings.maxConnections, files) };
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
  const { shutdownDelayMs, shutdownGraceMs } = config;
  closeWithGrace({ delay: shutdownDelayMs + shutdownGraceMs, logger: log, skip }, async ({ signal, err }) => {
    if (err) {
      log.fatal({ err }, 'an error nobody caught');
    } else {
      log.info({ signal }, 'stopping');
      app.retire();
      await pause(shutdownDelayMs);
    }
    await app.close();
    await output.settled(LAST_LINES_MS);
  });
  try {
    await listen(app.server, '', config);
    if (app.management !== null && config.management !== null) {
      await listen(app.management, 'MANAGEMENT_', config.management);
    }
    if (app.pushes !== null && config.pushes?.listen) {
      await listen(app.pushes, 'MODELLIX_WEBHOOK_', config.pushes.listen);
    }
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    await app.close();
    stop(error.message, EXIT_FAILURE);
  }
  if (config.maxConnections < settings.maxConnections) {
    log.warn(
      { maxConnections: config.maxConnections, files },
      'MAX_CONNECTIONS is more than there may be files open: fewer are held; raise the limit (ulimit -n)',
    );
  }
  app.start();
}

/** @throws {StartError} */
async function listen(server: App['server'], prefix: string, { host, port }: Address): Promise<void> {
  // Fastify would make a second server for localhost, for ::1, which has none of the limits of the first.
  const address = host === 'localhost' ? '127.0.0.1' : host;
  await server
    .listen({ host: address, port, backlog: BACKLOG })
    .catch(({ code, message }: NodeJS.ErrnoException) => {
      if (code === 'EADDRINUSE') throw new StartError(`${prefix}PORT=${port} is in use on ${host}`);
      throw new StartError(
        `cannot listen on ${prefix}HOST=${host} ${prefix}PORT=${port} (${code ?? message})`,
      );
    });
}

function readSettings(stop: Stop): Config {
  try {
    return readConfig();
  } catch (error) {
    if (error instanceof ConfigError) stop(error.message, EXIT_USAGE);
    throw error;
  }
}
