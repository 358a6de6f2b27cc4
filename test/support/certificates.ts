/** Certificates for 127.0.0.1, of an authority that nobody else trusts. */

import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Teardown } from './redis-process.js';

export interface Certificates {
  /** The authority, as PEM, and the file that has it. */
  readonly ca: string;
  readonly caFile: string;
  /** Arguments of a Redis that shows a certificate to its clients and its like, and asks for none. */
  readonly args: readonly string[];
  /** The same, as lines of a sentinel's file. */
  readonly lines: readonly string[];
}

/** Made with openssl in a folder that goes with the test. `host` is what the certificate is for. */
export async function certificates(t: Teardown, host = 'IP:127.0.0.1'): Promise<Certificates> {
  const dir = await mkdtemp(join(tmpdir(), 'avatar-gateway-tls-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await writeFile(join(dir, 'san'), `subjectAltName=${host}\n`);
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=test');
  openssl('req', ...key, '-keyout', 'redis.key', '-out', 'redis.csr', '-subj', '/CN=redis');
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'san', '-days', '2'];
  openssl('x509', '-req', '-in', 'redis.csr', ...signed, '-out', 'redis.pem');

  const settings = [
    ['tls-cert-file', join(dir, 'redis.pem')],
    ['tls-key-file', join(dir, 'redis.key')],
    ['tls-ca-cert-file', join(dir, 'ca.pem')],
    ['tls-auth-clients', 'no'],
    ['tls-replication', 'yes'],
  ] as const;
  return {
    ca: await readFile(join(dir, 'ca.pem'), 'utf8'),
    caFile: join(dir, 'ca.pem'),
    args: settings.flatMap(([name, value]) => [`--${name}`, value]),
    lines: settings.map(([name, value]) => `${name} ${value}`),
  };
}
