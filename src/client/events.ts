import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { ConnectionError } from './errors.js';
import { isPassing, pause, pauseMs } from './retry.js';
import type { Avatar } from './schema.js';
import type { Send } from './transport.js';
import type { AvatarEvent, EventsOptions } from './types.js';
import { isFinal } from './wait.js';

/** Until it is told something else. */
const COME_BACK_MS = 2_000;

interface Events extends EventsOptions {
  readonly path: string;
  /** Of one avatar: they have an end. */
  readonly isOne: boolean;
  readonly maxRetries: number;
  /** A connection that says nothing for so long is dead. */
  readonly silenceMs: number;
}

/** See `AvatarGatewayClient.events`. The first connection is tried as often as other requests are, later ones without end. */
export async function* followEvents(
  send: Send,
  events: Events,
): AsyncGenerator<AvatarEvent, void, undefined> {
  const { path, isOne, signal, maxRetries, silenceMs } = events;
  const place: Place = { lastEventId: events.lastEventId ?? '', comeBackMs: COME_BACK_MS };
  let wasOpen = false;
  for (let failures = 0; ; ) {
    try {
      const body = await send({ method: 'GET', path, headers: headersOf(place), signal }, async (response) =>
        response.status === 204 ? null : response.body,
      );
      if (body === null) return;
      wasOpen = true;
      failures = 0;
      for await (const event of eventsIn(textIn(body, silenceMs, signal), place)) {
        yield event;
        if (isOne && (event.type === 'deleted' || (event.type === 'avatar' && isFinal(event.avatar)))) return;
      }
      await pause(place.comeBackMs * (0.5 + Math.random() / 2), signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (!isPassing(error) || (!wasOpen && failures >= maxRetries)) throw error;
      await pause(pauseMs(failures++, error), signal);
    }
  }
}

/** What an EventSource would keep from one connection to the next. */
interface Place {
  lastEventId: string;
  comeBackMs: number;
}

function headersOf({ lastEventId }: Place): Record<string, string> {
  const accept = { accept: 'text/event-stream' };
  return lastEventId === '' ? accept : { ...accept, 'last-event-id': lastEventId };
}

async function* eventsIn(
  texts: AsyncIterable<string>,
  place: Place,
): AsyncGenerator<AvatarEvent, void, undefined> {
  let arrived: EventSourceMessage[] = [];
  const parser = createParser({
    onEvent: (message) => arrived.push(message),
    onRetry: (ms) => {
      place.comeBackMs = ms;
    },
  });
  let rest = '';
  for await (const text of texts) {
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      parser.feed(`${block}\n\n`);
      // An id that comes alone counts (HTML Living Standard, 9.2.6); the parser does not tell of it.
      place.lastEventId = /^id: ?(.*)$/m.exec(block)?.[1] ?? place.lastEventId;
      for (const message of arrived) {
        const event = eventOf(message, place.lastEventId);
        if (event !== null) yield event;
      }
      arrived = [];
    }
  }
}

/** `null`: a kind that this client does not know yet. */
function eventOf({ event: type, data }: EventSourceMessage, lastEventId: string): AvatarEvent | null {
  switch (type) {
    case 'avatar':
      return { type, lastEventId, avatar: JSON.parse(data) as Avatar };
    case 'deleted':
      return { type, lastEventId, id: (JSON.parse(data) as { id: string }).id };
    case 'reset':
      return { type, lastEventId };
    default:
      return null;
  }
}

/** Ends where the connection does, and hangs up where its reader leaves. */
async function* textIn(
  body: ReadableStream<Uint8Array>,
  silenceMs: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const hangUp = () => void reader.cancel().catch(() => {});
  signal?.addEventListener('abort', hangUp);
  try {
    for (;;) {
      signal?.throwIfAborted();
      const timer = setTimeout(hangUp, silenceMs);
      const { done, value } = await reader.read().finally(() => clearTimeout(timer));
      if (done) break;
      yield decoder.decode(value, { stream: true });
    }
    signal?.throwIfAborted();
  } catch (error) {
    signal?.throwIfAborted();
    throw new ConnectionError(error);
  } finally {
    signal?.removeEventListener('abort', hangUp);
    hangUp();
  }
}
