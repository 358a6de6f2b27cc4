/** Whether the process lives, for the image's health check: asked where the settings say that it listens. */

import { get } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/** A check that meets a start under way waits for it. */
const STARTS_WITHIN_MS = 5000;
const ANSWERS_WITHIN_MS = 2000;

/** The settings are taken as they are: the server checks them, and is not there where one is wrong. */
export async function isAlive(env: NodeJS.ProcessEnv): Promise<boolean> {
  const until = Date.now() + STARTS_WITHIN_MS;
  for (;;) {
    if (await answers(livenessUrl(env))) return true;
    if (Date.now() > until) return false;
    await pause(200);
  }
}

/** `0.0.0.0` and `::` are every address, loopback among them. */
export function livenessUrl({ HOST, PORT, MANAGEMENT_HOST, MANAGEMENT_PORT }: NodeJS.ProcessEnv): string {
  const host = (MANAGEMENT_PORT && MANAGEMENT_HOST) || HOST || '127.0.0.1';
  const address = { '0.0.0.0': '127.0.0.1', '::': '::1', localhost: '127.0.0.1' }[host] ?? host;
  const port = MANAGEMENT_PORT || PORT || '8080';
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}/livez`;
}

function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = get(url, { timeout: ANSWERS_WITHIN_MS });
    asked.on('response', (response) => resolve(response.resume().statusCode === 200));
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(false));
  });
}
