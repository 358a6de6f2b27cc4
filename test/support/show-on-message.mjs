/**
 * Loaded before the gateway. Told a secret, it shows what hangs on the global object and on the process, and what a report of
 * a crash has; then it throws where nobody catches an error that carries the secret, as a driver's does what it was sent.
 */

/** Every text that properties lead to. Getters are left alone: many throw where they are not at home. */
function textsFrom(...roots) {
  const seen = new Set();
  const texts = [];
  const next = roots;
  const look = (value) => {
    if (typeof value === 'string') texts.push(value);
    const leadsOn = (typeof value === 'object' && value !== null) || typeof value === 'function';
    if (leadsOn && !ArrayBuffer.isView(value) && !seen.has(value)) {
      seen.add(value);
      next.push(value);
    }
  };
  for (let at = next.pop(); at !== undefined; at = next.pop()) {
    if (at instanceof Map || at instanceof Set) for (const each of [...at].flat()) look(each);
    for (const name of Reflect.ownKeys(at)) {
      look(name);
      look(Reflect.getOwnPropertyDescriptor(at, name)?.value);
    }
  }
  return texts;
}

process.once('message', (secret) => {
  const { report, title } = process;
  process.stdout.write(`${title}\n${textsFrom(globalThis, process, process.env).join('\n')}\n`);
  process.stdout.write(`${JSON.stringify(report.getReport())}\n`);
  setImmediate(() => {
    throw Object.assign(new Error('thrown by a test'), { command: { args: [secret] }, headers: { secret } });
  });
});
