/** The variables of the environment, and of the files that they name, checked against the table of settings. */

import { readFileSync } from 'node:fs';
import { keysIn } from '../modellix/key-file.js';
import { faultOf, SETTINGS, settingOf } from './setting-list.js';
import { Environment } from './settings.js';
import { strayIn } from './stray-settings.js';

/** Variables that hold a secret; `NAME_FILE` may hold it instead. */
export const SECRETS = [
  'MODELLIX_API_KEY',
  'WEBHOOK_SECRETS',
  'REDIS_URL',
  'REDIS_SENTINEL_PASSWORD',
] as const;

/** A variable that names a file with a secret, and the file. */
export interface SecretFile {
  readonly variable: string;
  readonly file: string;
}

/** The files that hold secrets instead of their variables. */
export function secretFilesIn(env: NodeJS.ProcessEnv): readonly SecretFile[] {
  return SECRETS.map((name) => `${name}_FILE`).flatMap((variable) => {
    const file = env[variable];
    return file ? [{ variable, file }] : [];
  });
}

/** Variables that other programs read as well, and of which the spelling in lower case counts first, as to curl. */
export const PROXY_VARIABLES = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'] as const;

const NAMES: ReadonlySet<string> = new Set([
  ...SETTINGS.map(({ name }) => name),
  ...SECRETS.map((name) => `${name}_FILE`),
]);

/** Those that may be several; in a file they may stand on lines of their own. */
const LISTS: ReadonlySet<string> = new Set(['MODELLIX_API_KEY', 'WEBHOOK_SECRETS']);

/** Variables whose value is never printed: secrets, and URLs that somebody may have put one into. */
const UNPRINTED: ReadonlySet<string> = new Set([
  ...SECRETS,
  ...PROXY_VARIABLES,
  'MODELLIX_BASE_URL',
  'MODELLIX_WEBHOOK_URL',
  'PUBLIC_URL',
]);

/** A setting that is missing or wrong. The message is one line, names the variable and shows no secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * The value of each setting, those that are not set among them.
 * @throws {ConfigError} for the first variable at fault
 */
export function valuesOf(env: NodeJS.ProcessEnv): Environment {
  // An empty variable counts as unset, which is how compose files and shells pass on what is not there.
  const given = Object.entries(env).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const values = Object.fromEntries(given);
  const stray = strayIn(values, NAMES);
  if (stray !== null) throw new ConfigError(stray);
  for (const name of NAMES) refuseQuotes(name, values[name]);
  return parse(withSecretFiles(values));
}

function withSecretFiles(given: Readonly<Record<string, string>>): Record<string, string> {
  const values = { ...given };
  for (const name of PROXY_VARIABLES) {
    const lower = values[name.toLowerCase()];
    if (lower !== undefined) values[name] = lower;
  }
  for (const name of SECRETS) {
    const file = values[`${name}_FILE`];
    if (file === undefined) continue;
    if (values[name] !== undefined) throw new ConfigError(`${name} and ${name}_FILE are both set: give one`);
    const secret = readNamedFile(`${name}_FILE`, file);
    refuseQuotes(`what ${name}_FILE holds`, secret);
    values[name] = LISTS.has(name) ? keysIn(secret).join(',') : secret;
  }
  return values;
}

/**
 * What is in a file that a variable names. Neither its content nor its name is shown: the secret itself may have been given
 * for a name.
 * @throws {ConfigError}
 */
export function readNamedFile(name: string, file: string): string {
  let secret: string;
  try {
    secret = readFileSync(file, 'utf8').trim();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new ConfigError(`${name} names a file that cannot be read (${code})`);
  }
  if (secret === '') throw new ConfigError(`${name} names an empty file`);
  return secret;
}

/** A shell takes quotation marks off; `docker run --env-file` does not. */
function refuseQuotes(what: string, value = ''): void {
  if (/^(["']).*\1$/s.test(value)) {
    throw new ConfigError(`${what} is in quotation marks, which count as a part of it: leave them out`);
  }
}

function parse(values: Readonly<Record<string, string>>): Environment {
  const settings: Record<string, unknown> = {};
  for (const { name } of SETTINGS) {
    const text = values[name];
    const fault = text === undefined ? null : faultOf(name, text);
    if (fault !== null) throw new ConfigError(`${shown(name, text ?? '')} ${fault}`);
    const value = settingOf(name, text);
    if (value !== undefined) settings[name] = value;
  }
  for (const name of Environment.required) {
    if (name in settings) continue;
    throw new ConfigError(`${name} is not set: give the key, or ${name}_FILE with a file that holds it`);
  }
  return settings as Environment;
}

/** A variable with its value, on one line and not for ever; without where it may hold a secret. */
function shown(name: string, value: string): string {
  if (UNPRINTED.has(name)) return name;
  const short = value.length > 80 ? `${value.slice(0, 80)}…` : value;
  return `${name}=${/^[\x21-\x7e…]+$/.test(short) ? short : JSON.stringify(short)}`;
}
