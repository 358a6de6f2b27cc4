/** nginx in front of the gateway, with limits for each address, as `docs/hardening.md` shows them. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, type Program, startProgram } from './program.js';

export interface Nginx extends Program {
  readonly url: string;
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
  const started = await startProgram([program, '-p', own, '-c', config, '-g', 'daemon off;'], port);
  return { ...started, url: `http://127.0.0.1:${port}` };
}
