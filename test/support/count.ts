export interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** Of both, those whose own name or that of a test around them begins with `redis:`. */
  readonly redis: number;
}

interface Open {
  readonly indent: number;
  readonly name: string;
  children: number;
}

/** Counts the named tests in a TAP report that hold no other named test; a file without any counts as one failed. */
export function countTests(tap: string): Counts {
  const open: Open[] = [];
  let passed = 0;
  let failed = 0;
  let redis = 0;
  for (const line of tap.split('\n')) {
    const started = /^( *)# Subtest: (.*)$/.exec(line);
    if (started) {
      const parent = open.at(-1);
      if (parent) parent.children++;
      open.push({ indent: started[1]?.length ?? 0, name: started[2] ?? '', children: 0 });
      continue;
    }
    const ended = /^( *)(not )?ok \d+ - .*# time=/.exec(line);
    const top = open.at(-1);
    if (!ended || top === undefined || top.indent !== ended[1]?.length) continue;
    const named = open.some(({ name }) => name.startsWith('redis:'));
    open.pop();
    const fails = ended[2] !== undefined;
    if (top.children > 0 || (top.indent === 0 && !fails)) continue;
    if (fails) failed++;
    else passed++;
    if (named) redis++;
  }
  return { passed, failed, redis };
}
