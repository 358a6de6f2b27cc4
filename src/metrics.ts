import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Counts } from './gateway/ports.js';
import type { StoreHealth } from './store/store.js';

export interface Metrics {
  readonly counts: Counts;
  /** In the Prometheus text format, and its content type. */
  render(): Promise<{ readonly type: string; readonly text: string }>;
}

/** The counters of one process. Labels hold words of ours only: no id, no caller, nothing that was sent. */
export function createMetrics(health: () => StoreHealth): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const submits = new Counter({
    name: 'avatar_gateway_submits_total',
    help: 'Submits by what they came to.',
    labelNames: ['outcome'],
    registers,
  });
  const ended = new Counter({
    name: 'avatar_gateway_avatars_ended_total',
    help: 'Avatars that came to an end, by status; unconfirmed ones want an operator.',
    labelNames: ['status'],
    registers,
  });
  const unfamiliar = new Counter({
    name: 'avatar_gateway_unfamiliar_statuses_total',
    help: 'Answers of Modellix with a status word that is not known.',
    registers,
  });
  new Gauge({
    name: 'avatar_gateway_corrupt_records',
    help: 'Records set aside since the start because they could not be read.',
    registers,
    collect() {
      this.set(health().corruptRecords);
    },
  });
  return {
    counts: {
      submit: (outcome) => submits.inc({ outcome }),
      ended: (status) => ended.inc({ status }),
      unfamiliarStatus: () => unfamiliar.inc(),
    },
    render: async () => ({ type: registry.contentType, text: await registry.metrics() }),
  };
}
