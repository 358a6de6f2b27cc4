// Fails where package-lock.json could bring in what nobody looked at: a package that runs a script when it is installed, one
// without a checksum, from elsewhere than the registry that npm is set to, or without the builds for other platforms.

import { readFileSync } from 'node:fs';

/** Packages with an install script, and why they do without it (.npmrc). */
const SCRIPTS = {
  'node_modules/esbuild': 'has its builds as optional packages; the script only makes a start faster',
};

const file = process.argv[2] ?? new URL('../package-lock.json', import.meta.url);
const { packages } = JSON.parse(readFileSync(file, 'utf8'));

/** Whether a package's dependency is in the file, where Node.js would look for it. */
function has(from, name) {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    if (packages[`${at === '' ? '' : `${at}/`}node_modules/${name}`] !== undefined) return true;
    if (at === '') return false;
  }
}

const faults = Object.entries(packages).flatMap(([path, entry]) => {
  const found = Object.keys(entry.optionalDependencies ?? {})
    .filter((name) => !has(path, name))
    .map((name) => `lacks ${name}, which it needs on another platform`);
  if (path === '' || entry.link) return found.map((fault) => `${path}: ${fault}`);
  if (entry.hasInstallScript && SCRIPTS[path] === undefined) found.push('has an install script');
  if (!entry.integrity && !entry.inBundle) found.push('has no integrity');
  if (entry.resolved !== undefined) found.push(`comes from ${entry.resolved}`);
  return found.map((fault) => `${path}: ${fault}`);
});
for (const path of Object.keys(SCRIPTS)) {
  if (!packages[path]?.hasInstallScript) faults.push(`${path}: is excused in .ci/lockfile.mjs for nothing`);
}
for (const fault of faults) console.error(`package-lock.json: ${fault}`);
process.exitCode = faults.length === 0 ? 0 : 1;
