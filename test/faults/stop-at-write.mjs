/**
 * Loaded before a gateway on the embedded store: the write that holds `STOP_AT` stops for good, `before` or `after` it
 * is done, and says so. Nothing is written after it.
 */

import { ClassicLevel } from 'classic-level';

const { STOP_AT: text = '', STOP_WHEN: when } = process.env;
const { batch } = ClassicLevel.prototype;

async function stopping(operations, options) {
  const meant = operations.some(({ value }) => Buffer.isBuffer(value) && value.includes(text));
  if (!meant || when === 'after') await batch.call(this, operations, options);
  if (!meant) return;
  process.stdout.write('stopped at the write\n');
  await new Promise(() => {});
}
Object.assign(ClassicLevel.prototype, { batch: stopping });
