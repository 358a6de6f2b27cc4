/** Forms byte for byte, part by part (RFC 7578). */

import { portrait, speech } from './requests.js';

export const BOUNDARY = 'a-boundary';

export type Head = readonly string[];
export type Part = readonly [head: Head, content: string | Buffer];

export const disposition = (parameters: string) => `Content-Disposition: form-data; ${parameters}`;
export const typed = (parameters: string, type: string, ...more: string[]): Head => [
  disposition(parameters),
  `Content-Type: ${type}`,
  ...more,
];
export const file = (name: string, content: Buffer, type: string): Part => [
  typed(`name="${name}"; filename="${name}.bin"`, type),
  content,
];
export const text = (name: string, content: string): Part => [[disposition(`name="${name}"`)], content];
export const json = (name: string, content: string, more = ''): Part => [
  typed(`name="${name}"${more}`, 'application/json'),
  content,
];

export const IMAGE = file('image', portrait, 'image/jpeg');
export const SOUND = file('sound_file', speech, 'audio/mpeg');

/** The body of a form. */
export function formOf(parts: readonly Part[], before = '', after = ''): Buffer {
  const pieces = parts.flatMap(([head, content]) => [
    Buffer.from(`--${BOUNDARY}\r\n${head.map((line) => `${line}\r\n`).join('')}\r\n`),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([Buffer.from(before), ...pieces, Buffer.from(`--${BOUNDARY}--\r\n${after}`)]);
}
