/**
 * Loaded before a gateway on the embedded store, and in its thread: the write that holds `STOP_AT` stops for good, `before` or
 * `after` it is committed, and says so. Nothing is written after it.
 */

import { writeSync } from 'node:fs';
import Database from 'libsql';

const { STOP_AT: text = '', STOP_WHEN: when } = process.env;
const { exec, prepare } = Database.prototype;
let isMeant = false;

const holds = (value) =>
  typeof value === 'string'
    ? value.includes(text)
    : ArrayBuffer.isView(value) && Buffer.from(value).includes(text);

Object.assign(Database.prototype, {
  prepare(sql) {
    const statement = prepare.call(this, sql);
    const { run } = statement;
    return Object.assign(statement, {
      run(values) {
        isMeant ||= values.some(holds);
        return run.call(this, values);
      },
    });
  },
  exec(sql) {
    const isStop = isMeant && sql === 'commit';
    if (!isStop || when === 'after') exec.call(this, sql);
    if (!isStop) return;
    writeSync(1, 'stopped at the write\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
});
