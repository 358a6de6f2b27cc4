export interface Counts {
  readonly passed: number;
  /** The names of those that failed, each behind the names of what it stands in. */
  readonly failed: readonly string[];
  /** Of both, those whose own name or that of a test around them begins with `redis:`. */
  readonly redis: number;
}

interface Open {
  readonly indent: number;
  readonly name: string;
  children: number;
  failures: number;
}

/**
 * Counts the named tests in a TAP report that hold no other named test. One around others, or a file, counts as failed
 * where it failed by itself; so does a file without any.
 */
export function countTests(tap: string): Counts {
  const open: Open[] = [];
  const failed: string[] = [];
  let passed = 0;
  let redis = 0;
  for (const line of tap.split('\n')) {
    const started = /^( *)# Subtest: (.*)$/.exec(line);
    if (started) {
      const parent = open.at(-1);
      if (parent) parent.children++;
      open.push({ indent: started[1]?.length ?? 0, name: started[2] ?? '', children: 0, failures: 0 });
      continue;
    }
    const ended = /^( *)(not )?ok \d+ - .*# time=/.exec(line);
    const top = open.at(-1);
    if (!ended || top === undefined || top.indent !== ended[1]?.length) continue;
    const names = open.map(({ name }) => name);
    open.pop();
    const fails = ended[2] !== undefined;
    const parent = open.at(-1);
    if (fails && parent) parent.failures++;
    if (fails && top.failures === 0) failed.push(names.join(' > '));
    else if (fails || top.children > 0 || top.indent === 0) continue;
    else passed++;
    if (names.some((name) => name.startsWith('redis:'))) redis++;
  }
  return { passed, failed, redis };
}
