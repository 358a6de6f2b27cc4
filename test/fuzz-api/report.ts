/** A finding in words, so that the request can be made again. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from './fuzz.js';

const MOST_SHOWN = 600;

/** @param dir where bodies are kept that are too long, or no text */
export function describeFinding({ number, request, answer, faults }: Finding, dir: string): string {
  const { operation, method, target, headers, body, flaws } = request;
  const lines = [
    `request ${number} (${operation.name}; wrong: ${[...flaws].join(', ') || 'nothing'})`,
    ...faults.map((fault) => `  ${fault}`),
    `  > ${method} ${cut(target)}`,
    ...Object.entries(headers).map(([name, value]) => `  > ${name}: ${cut(String(value))}`),
  ];
  if (body !== null) lines.push(`  > ${shown(body, join(dir, `request-${number}.bin`))}`);
  if (answer !== null) {
    lines.push(`  < ${answer.status}${answer.isWhole ? '' : ' (not read to its end)'}`);
    for (const [name, value] of Object.entries(answer.headers)) lines.push(`  < ${name}: ${value}`);
    if (answer.body.length > 0) lines.push(`  < ${shown(answer.body, join(dir, `answer-${number}.bin`))}`);
  }
  return lines.join('\n');
}

function cut(text: string): string {
  return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN)}… of ${text.length} characters`;
}

function shown(body: Buffer, file: string): string {
  const text = body.toString('utf8');
  if (body.length <= MOST_SHOWN && Buffer.from(text).equals(body) && !/[^\P{C}\r\n]/u.test(text)) return text;
  writeFileSync(file, body);
  return `${body.length} bytes, in ${file}`;
}
