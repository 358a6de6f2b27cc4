import { accountsOf, DEFAULT_KEY, type SettingsPatch } from './settings.js';
import { type SimulatorOptions, startSimulator } from './simulator.js';

/** The simulator as a process of its own. Its settings come from the environment, see `optionsFrom`. */
function optionsFrom(env: NodeJS.ProcessEnv): SimulatorOptions {
  const number = (name: string, fallback?: number): number | undefined => {
    const text = env[name] ?? '';
    if (text === '') return fallback;
    if (!/^\d+(\.\d+)?$/.test(text)) throw new RangeError(`${name} is not a number: ${text}`);
    return Number(text);
  };
  const taskMs = /^(\d+)(?:-(\d+))?$/.exec(env.SIMULATOR_TASK_MS || '2000-5000');
  if (taskMs === null) throw new RangeError('SIMULATOR_TASK_MS is not "ms" or "min-max"');
  const min = Number(taskMs[1]);
  const median = number('SIMULATOR_TASK_MEDIAN_MS', 0) ?? 0;
  const settings: SettingsPatch = {
    ...accountsOf(env.SIMULATOR_API_KEYS || DEFAULT_KEY, number('SIMULATOR_BALANCE', 1000) ?? 0),
    taskMs: { min, max: Number(taskMs[2] ?? min) },
    taskMedianMs: { std: median, pro: number('SIMULATOR_TASK_MEDIAN_MS_PRO', median) ?? median },
    ...(env.SIMULATOR_SUBMIT_PATHS ? { submitPaths: env.SIMULATOR_SUBMIT_PATHS.split(',') } : {}),
    publicUrl: env.SIMULATOR_PUBLIC_URL ?? '',
    ...defined({
      callsPerMinute: number('SIMULATOR_CALLS_PER_MINUTE'),
      callsPerMinuteOverall: number('SIMULATOR_CALLS_PER_MINUTE_OVERALL'),
      windowMs: number('SIMULATOR_WINDOW_MS'),
      taskSigma: number('SIMULATOR_TASK_SIGMA'),
      concurrency: number('SIMULATOR_CONCURRENCY'),
      failureRate: number('SIMULATOR_FAILURE_RATE'),
      longPollMs: number('SIMULATOR_LONG_POLL_MS'),
      resultTtlMs: number('SIMULATOR_RESULT_TTL_MS'),
      urlTtlMs: number('SIMULATOR_URL_TTL_MS'),
      resultLagMs: number('SIMULATOR_RESULT_LAG_MS'),
    }),
  };
  return {
    host: env.HOST || '127.0.0.1',
    port: number('PORT', 4010) ?? 0,
    seed: number('SIMULATOR_SEED', 1) ?? 1,
    settings,
    ...(env.LEDGER_FILE ? { ledgerFile: env.LEDGER_FILE } : {}),
  };
}

function defined(members: Record<string, number | undefined>): Record<string, number> {
  const kept: Record<string, number> = {};
  for (const [name, value] of Object.entries(members)) if (value !== undefined) kept[name] = value;
  return kept;
}

try {
  const simulator = await startSimulator(optionsFrom(process.env));
  const end = () => {
    void simulator.close().then(() => process.exit(0));
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  console.log(`Modellix simulator on ${simulator.url}`);
} catch (error) {
  console.error(`simulator: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
