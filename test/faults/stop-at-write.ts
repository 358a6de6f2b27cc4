/**
 * Loaded before a gateway on the embedded store: the write that holds `STOP_AT` stops for good, `before` or `after` it
 * is done, and says so. Nothing is written after it.
 */

import { ClassicLevel } from 'classic-level';

type Batch = (operations: readonly { readonly value?: unknown }[], options?: object) => Promise<void>;

const { STOP_AT: text = '', STOP_WHEN: when } = process.env;
const { batch } = ClassicLevel.prototype as unknown as { batch: Batch };

const stopping: Batch = async function (this: unknown, operations, options) {
  const meant = operations.some(({ value }) => Buffer.isBuffer(value) && value.includes(text));
  if (!meant || when === 'after') await batch.call(this, operations, options);
  if (!meant) return;
  process.stdout.write('stopped at the write\n');
  await new Promise(() => {});
};
Object.assign(ClassicLevel.prototype, { batch: stopping });
