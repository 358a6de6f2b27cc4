import { bodyOf } from './body.js';
import { GatewayError } from './errors.js';
import { followEvents } from './events.js';
import { isPassing, isPassingForCreate, isUntouched, retrying } from './retry.js';
import type { Avatar, AvatarList, Check, Deliveries } from './schema.js';
import { type Call, createTransport } from './transport.js';
import type { AvatarGatewayClient, ClientOptions, PageQuery, RequestOptions } from './types.js';
import { openVideo } from './video.js';
import { waitForEnd } from './wait.js';

const MAX_RETRIES = 4;
/** The gateway says something on an event stream every 15 s. */
const SILENCE_MS = 60_000;

/** @throws {TypeError} for options that cannot be used */
export function createClient(options: ClientOptions): AvatarGatewayClient {
  const { maxRetries = MAX_RETRIES } = options;
  const send = createTransport(options);

  /** @param isSafe what the request may be sent again after; a read may be after all that passes */
  function json<T>(call: Call, isSafe = isPassing): Promise<T> {
    const read = (response: Response) => response.json() as Promise<T>;
    return retrying({ maxRetries, signal: call.signal, isSafe }, () => send(call, read));
  }

  async function page(query: PageQuery = {}, options: RequestOptions = {}): Promise<AvatarList> {
    return json({ method: 'GET', path: `/avatars${searchOf(query)}`, ...options });
  }

  return {
    async create(request, { idempotencyKey = randomKey(), waitSeconds, ...options } = {}) {
      const { body, headers } = bodyOf(request);
      const call: Call = {
        method: 'POST',
        path: '/avatars',
        headers: { ...headers, ...prefer(waitSeconds), 'idempotency-key': idempotencyKey },
        body,
        waitSeconds,
        ...options,
      };
      // The key makes all attempts one request.
      return json<Avatar>(call, isPassingForCreate);
    },

    async check(request, options = {}) {
      return json<Check>({ method: 'POST', path: '/avatars/check', ...bodyOf(request), ...options });
    },

    async get(id, { waitSeconds, ...options } = {}) {
      return json<Avatar>({
        method: 'GET',
        path: pathOf(id),
        headers: prefer(waitSeconds),
        waitSeconds,
        ...options,
      });
    },

    async *list(query = {}, options = {}) {
      let cursor: string | null | undefined;
      while (cursor !== null) {
        const { data, next_cursor }: AvatarList = await page(
          cursor === undefined ? query : { ...query, cursor },
          options,
        );
        yield* data;
        cursor = next_cursor;
      }
    },

    page,

    wait: (id, options = {}) => waitForEnd(send, { id, path: pathOf(id), maxRetries, ...options }),

    events: (id, { caller, ...options } = {}) =>
      followEvents(send, {
        path: id === null ? `/avatars/events${searchOf({ caller })}` : pathOf(id, '/events'),
        isOne: id !== null,
        maxRetries,
        silenceMs: SILENCE_MS,
        ...options,
      }),

    async cancel(id, options = {}) {
      // One that is canceled already is answered alike.
      return json<Avatar>({ method: 'POST', path: pathOf(id, '/cancel'), ...options });
    },

    async delete(id, options = {}) {
      const call: Call = { method: 'DELETE', path: pathOf(id), ...options };
      await retrying({ maxRetries, signal: options.signal }, async (failures) => {
        try {
          await send(call, async () => {});
        } catch (error) {
          // An attempt whose answer was lost has removed it.
          if (failures === 0 || !(error instanceof GatewayError) || error.status !== 404) throw error;
        }
      });
    },

    async redeliver(id, options = {}) {
      // At worst the receiver is told twice, under one webhook-id: it has to reckon with that anyway.
      return json<Avatar>({ method: 'POST', path: pathOf(id, '/redeliver'), ...options });
    },

    async deliveries(id, options = {}) {
      return json<Deliveries>({ method: 'GET', path: pathOf(id, '/deliveries'), ...options });
    },

    async resolve(id, finding, options = {}) {
      const call: Call = {
        method: 'POST',
        path: pathOf(id, '/resolve'),
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(finding),
        ...options,
      };
      // After one that had effect a second one is refused: it would look as if the finding had come to nothing.
      return json<Avatar>(call, isUntouched);
    },

    async video(id, { range, ...options } = {}) {
      const call: Call = {
        method: 'GET',
        path: pathOf(id, '/video'),
        headers: { accept: 'video/mp4, application/problem+json', ...(range !== undefined && { range }) },
        ...options,
      };
      return retrying({ maxRetries, signal: options.signal }, () => openVideo(send, call));
    },
  };
}

/** `randomUUID` is not there in a page that came over plain http, as inside a network it may. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function pathOf(id: string, rest = ''): string {
  // An empty id, or dots, would be another route.
  if (!/^[\w-]+$/.test(id)) throw new TypeError('The id of an avatar has letters, digits, _ and - alone');
  return `/avatars/${id}${rest}`;
}

function prefer(waitSeconds: number | undefined): Record<string, string> {
  return waitSeconds === undefined ? {} : { prefer: `wait=${Math.ceil(waitSeconds)}` };
}

function searchOf(query: { readonly [Name in keyof PageQuery]: PageQuery[Name] | undefined }): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    search.set(name, value instanceof Date ? value.toISOString() : String(value));
  }
  return search.size === 0 ? '' : `?${search}`;
}
