#!/usr/bin/env node
/** The process: configuration, listening, signals. Nothing else exits or reads signals. */

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import closeWithGrace from 'close-with-grace';
import { pino } from 'pino';
import { buildApp, StartError } from './app.js';
import { type Config, ConfigError, readConfig, SETTINGS } from './config.js';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const USAGE = `avatar-gateway ${version}

Usage: avatar-gateway [--help | --version]

Serves talking avatars through Modellix's kling-avatar. Settings are environment variables:

${SETTINGS.map(settingLine).join('\n')}
`;

function settingLine({ name, description, fallback }: (typeof SETTINGS)[number]): string {
  return `  ${name.padEnd(33)} ${description}${fallback === undefined ? '' : ` [${fallback}]`}`;
}

/** The gateway cannot run here and now. */
const EXIT_FAILURE = 1;
/** A setting or an argument is wrong. */
const EXIT_USAGE = 2;

function stopWith(message: string, code: number): never {
  process.stderr.write(`avatar-gateway: ${message}\n`);
  process.exit(code);
}

function readArguments() {
  try {
    return parseArgs({
      options: { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean', short: 'v' } },
    }).values;
  } catch (error) {
    stopWith((error as Error).message, EXIT_USAGE);
  }
}

function readSettings() {
  try {
    return readConfig();
  } catch (error) {
    if (error instanceof ConfigError) stopWith(error.message, EXIT_USAGE);
    throw error;
  }
}

const values = readArguments();
if (values.help) {
  process.stdout.write(USAGE);
} else if (values.version) {
  process.stdout.write(`${version}\n`);
} else {
  await serve();
}

async function serve(): Promise<void> {
  const config = readSettings();
  const log = pino({ level: config.logLevel, name: 'avatar-gateway' });
  const app = await buildApp(config, log, version).catch((error: Error) => {
    if (error instanceof StartError) stopWith(error.message, EXIT_FAILURE);
    throw error;
  });
  closeWithGrace({ delay: config.shutdownGraceMs, logger: log }, async ({ signal, err }) => {
    if (err) log.fatal({ err }, 'an error nobody caught');
    else log.info({ signal }, 'stopping');
    await app.close();
  });
  try {
    await app.server.listen({ host: config.host, port: config.port });
  } catch (error) {
    await app.close();
    stopWith(cannotListen(config, error as NodeJS.ErrnoException), EXIT_FAILURE);
  }
  app.start();
}

function cannotListen({ host, port }: Config, { code, message }: NodeJS.ErrnoException): string {
  if (code === 'EADDRINUSE') return `PORT=${port} is in use on ${host}`;
  return `cannot listen on HOST=${host} PORT=${port} (${code ?? message})`;
}
