import { faultOf } from './faults.js';
import type { SettingsPatch, Simulator } from './simulator.js';
import { fateOf } from './tasks.js';
import { type Answer, isObject, json } from './wire.js';

/** What a request to `/_control/...` carries. */
export interface ControlRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

/** The simulator's own API over HTTP: the same as in process, as JSON, for tests in another process. */
export function control(simulator: Simulator, request: ControlRequest): Answer {
  try {
    return dispatch(simulator, request) ?? json(404, { error: 'no such control route' });
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError)
      return json(400, { error: error.message });
    throw error;
  }
}

function dispatch(simulator: Simulator, { method, path, query, body }: ControlRequest): Answer | undefined {
  const [, , noun = '', id] = path.split('/');
  switch (`${method} ${noun}${id === undefined ? '' : '/:id'}`) {
    case 'GET health':
      return json(200, { ok: true });
    case 'GET ledger':
      return json(200, { submits: simulator.ledger() });
    case 'GET calls': {
      const kind = query.get('kind');
      const calls = simulator.calls().filter((call) => kind === null || call.kind === kind);
      return json(200, { calls });
    }
    case 'GET tasks':
      return json(200, { tasks: simulator.tasks() });
    case 'GET over':
      return json(200, simulator.over());
    case 'POST tasks/:id':
      simulator.settle(id ?? '', fateOf(read(body)));
      return json(200, { ok: true });
    case 'DELETE tasks/:id':
      simulator.forget(id ?? '');
      return json(200, { ok: true });
    case 'GET pushes':
      return json(200, { pushes: simulator.pushes() });
    case 'POST pushes/:id':
      simulator.push(id ?? '', { forged: query.get('forged') === 'true' });
      return json(202, { ok: true });
    case 'GET faults':
      return json(200, {
        faults: simulator.faults().map(({ id: name, fault, count }) => ({ id: name, count, ...fault })),
      });
    case 'POST faults': {
      const given = read(body);
      const injected = (Array.isArray(given) ? given : [given]).map((fault) =>
        simulator.inject(faultOf(fault)),
      );
      return json(201, { ids: injected.map((fault) => fault.id) });
    }
    case 'DELETE faults':
    case 'DELETE faults/:id':
      return json(200, { cleared: simulator.clearFaults(id) });
    case 'POST release':
    case 'POST release/:id':
      return json(200, { released: simulator.release(id) });
    case 'GET settings':
      return json(200, simulator.settings());
    case 'PATCH settings': {
      const patch = read(body);
      if (!isObject(patch)) throw new RangeError('settings: a JSON object is needed');
      // Whatever it holds, the settings it leads to are checked.
      return json(200, simulator.configure(patch as SettingsPatch));
    }
    case 'POST reset':
      simulator.reset();
      return json(200, { ok: true });
    default:
      return undefined;
  }
}

function read(body: Buffer): unknown {
  return JSON.parse(body.toString());
}
