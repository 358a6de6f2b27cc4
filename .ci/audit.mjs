// Fails on a known vulnerability, high or critical, in what runs in production. A registry that offers no audit, or none that
// can be reached, is said and passed over: there is nothing to go by.

import { spawnSync } from 'node:child_process';

const { stdout, error } = spawnSync('npm', ['audit', '--omit=dev', '--audit-level=high', '--json'], {
  encoding: 'utf8',
  timeout: 120_000,
});

/** What npm found out; `null` where it wrote none. */
function reportOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const report = reportOf(stdout ?? '');
const counts = report?.metadata?.vulnerabilities;
if (counts === undefined) {
  const why = report?.message ?? report?.error?.summary ?? error?.message ?? 'npm gave no report';
  console.log(`audit: skipped, the registry offers none here (${String(why).split('\n', 1)[0]})`);
} else {
  for (const { name, severity, range } of Object.values(report.vulnerabilities ?? {})) {
    console.log(`audit: ${severity}: ${name} ${range}`);
  }
  const grave = (counts.high ?? 0) + (counts.critical ?? 0);
  console.log(`audit: ${grave} high or critical, ${counts.total ?? 0} in all`);
  process.exitCode = grave === 0 ? 0 : 1;
}
