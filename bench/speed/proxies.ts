/** Proxies that some have installed, each told to add a key and to send on whatever comes, without a log. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Teardown } from '../../test/support/redis-process.js';
import { freePort, startProgram } from '../program.js';
import { BODY, JSON_HEADERS, type Place } from './gateway.js';
import type { Job } from './messages.js';

export interface Forwarder {
  readonly url: string;
  readonly pid: number;
}

const AUTHORIZATION = 'Bearer upstream-key';

const nginxConfig = (dir: string, port: number, upstream: string): string => `
worker_processes 1;
user root;
pid ${dir}/nginx.pid;
error_log ${dir}/error.log;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${dir}/body;
  proxy_temp_path ${dir}/proxy;
  fastcgi_temp_path ${dir}/fastcgi;
  uwsgi_temp_path ${dir}/uwsgi;
  scgi_temp_path ${dir}/scgi;
  keepalive_requests 100000000;
  upstream modellix {
    server ${upstream};
    keepalive 64;
    keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://modellix;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Authorization "${AUTHORIZATION}";
    }
  }
}
`;

export async function startNginx(t: Teardown, { dir, prefix, upstreamUrl }: Place, program: string) {
  const [own, port] = [await mkdtemp(join(dir, 'nginx-')), await freePort()];
  const config = join(own, 'nginx.conf');
  await writeFile(config, nginxConfig(own, port, new URL(upstreamUrl).host));
  return started(t, [...prefix, program, '-p', own, '-c', config, '-g', 'daemon off;'], port);
}

const haproxyConfig = (port: number, upstream: string): string => `
global
  nbthread 1
defaults
  mode http
  http-reuse always
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen modellix
  bind 127.0.0.1:${port}
  http-request set-header Authorization "${AUTHORIZATION}"
  server upstream ${upstream}
`;

export async function startHaproxy(t: Teardown, { dir, prefix, upstreamUrl }: Place, program: string) {
  const [own, port] = [await mkdtemp(join(dir, 'haproxy-')), await freePort()];
  const config = join(own, 'haproxy.cfg');
  await writeFile(config, haproxyConfig(port, new URL(upstreamUrl).host));
  return started(t, [...prefix, program, '-f', config, '-db'], port);
}

/** Portkey passes a chat on: it has the same text as the others' bodies in its message. */
export const portkeyRequest = (url: string, upstreamUrl: string): Omit<Job, 'connections' | 'length'> => ({
  url: `${url}/v1/chat/completions`,
  method: 'POST',
  headers: {
    ...JSON_HEADERS,
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `${upstreamUrl}/v1`,
    authorization: AUTHORIZATION,
  },
  body: JSON.stringify({ model: 'kling-avatar', messages: [{ role: 'user', content: BODY }] }),
});

/** @param script `build/start-server.js` of `@portkey-ai/gateway` */
export async function startPortkey(t: Teardown, { prefix }: Place, script: string) {
  const port = await freePort();
  const env = { ...process.env, NODE_ENV: 'production' };
  return started(t, [...prefix, process.execPath, script, `--port=${port}`, '--headless'], port, env);
}

export function portkeyVersion(script: string): string {
  const { version } = JSON.parse(readFileSync(join(dirname(script), '../package.json'), 'utf8'));
  return version;
}

async function started(
  t: Teardown,
  command: readonly string[],
  port: number,
  env?: NodeJS.ProcessEnv,
): Promise<Forwarder> {
  const { pid, kill } = await startProgram(command, port, env);
  t.teardown(kill);
  return { url: `http://127.0.0.1:${port}`, pid };
}

/** What a program says of its version; `null` where it is not there. */
export function versionOf(program: string, flag: string): string | null {
  const { status, stdout, stderr } = spawnSync(program, [flag], { encoding: 'utf8' });
  return status === 0 ? (/\d+\.\d+[\w.]*/.exec(stdout + stderr)?.[0] ?? '') : null;
}
