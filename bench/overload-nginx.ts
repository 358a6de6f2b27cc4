/** nginx in front of the gateway, with limits for each address, as `docs/hardening.md` shows them. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Nginx {
  readonly url: string;
  readonly kill: () => Promise<void>;
}

const configOf = (dir: string, port: number, gateway: string): string => `
worker_processes 1;
worker_rlimit_nofile 65536;
user root;
pid ${dir}/nginx.pid;
error_log ${dir}/error.log;
events { worker_connections 32768; }
http {
  access_log off;
  client_body_temp_path ${dir}/body;
  proxy_temp_path ${dir}/proxy;
  fastcgi_temp_path ${dir}/fastcgi;
  uwsgi_temp_path ${dir}/uwsgi;
  scgi_temp_path ${dir}/scgi;
  limit_conn_zone $binary_remote_addr zone=connections:10m;
  limit_req_zone $binary_remote_addr zone=requests:10m rate=200r/s;
  limit_conn_status 429;
  limit_req_status 429;
  client_header_timeout 10s;
  client_body_timeout 10s;
  client_max_body_size 21m;
  upstream gateway {
    server ${new URL(gateway).host};
    keepalive 64;
    keepalive_timeout 60s;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    keepalive_timeout 60s;
    location / {
      limit_conn connections 50;
      limit_req zone=requests burst=200 nodelay;
      proxy_pass http://gateway;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_read_timeout 75s;
    }
  }
}
`;

/** @param program where nginx is */
export async function startNginx(program: string, dir: string, gateway: string): Promise<Nginx> {
  const own = join(dir, 'nginx');
  await mkdir(own);
  const port = await freePort();
  const config = join(own, 'nginx.conf');
  await writeFile(config, configOf(own, port, gateway));
  const child = spawn(program, ['-p', own, '-c', config, '-g', 'daemon off;'], { stdio: 'inherit' });
  const ended = once(child, 'close');
  process.once('exit', () => child.kill());
  const kill = async (): Promise<void> => {
    child.kill();
    await ended;
  };
  while (!(await isListening(port))) {
    if (child.exitCode !== null) throw new Error(`${program} ended at its start`);
    await sleep(50);
  }
  return { url: `http://127.0.0.1:${port}`, kill };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
