import type { Dispatcher } from 'undici';
import type { AnswerHeaders } from './text.js';
import { wordsFor } from './words.js';

/** What came of one request: a complete answer, or none and whether the request had begun to leave. */
export type Exchanged =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: AnswerHeaders;
      readonly body: Buffer;
    }
  /** `sent` is false only where it is certain that no byte was written. `status` where a head came. */
  | {
      readonly kind: 'no-answer';
      readonly sent: boolean;
      readonly status: number | null;
      readonly reason: string;
    };

export interface Limits {
  /** From the call to the first byte of the request: name look-up, connect, a proxy's tunnel, TLS. */
  readonly connectTimeoutMs: number;
  /** From the first byte of the request to the last of the answer. */
  readonly answerTimeoutMs: number;
  /** Cuts it off: not for a submit, whose outcome would be unknown. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * One request, one complete answer; never throws and never sends twice.
 *
 * undici calls `onRequestStart` on a connected socket right before it writes (`writeH1` in its
 * lib/dispatcher/client-h1.js), so an error before that call happened with no byte written, and any error
 * after it may have happened with all of them written. It may call it again where it decides to
 * dispatch once more (its documentation says so): that is refused here, before anything is written.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  { connectTimeoutMs, answerTimeoutMs, signal }: Limits,
): Promise<Exchanged> {
  return new Promise((resolve) => {
    let controller: Dispatcher.DispatchController | undefined;
    let over = false;
    let status: number | null = null;
    let headers: AnswerHeaders = {};
    const chunks: Buffer[] = [];

    const finish = (result: Exchanged): void => {
      over = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
      resolve(result);
    };
    const fail = (reason: string): void => {
      if (!over) finish({ kind: 'no-answer', sent: controller !== undefined, status, reason });
    };
    const giveUp = (reason: string): void => {
      fail(reason);
      controller?.abort(new Error(reason));
    };
    const cancel = (): void => giveUp('canceled');
    const deadline = (ms: number, what: string) => setTimeout(() => giveUp(`no ${what} within ${ms} ms`), ms);
    let timer: NodeJS.Timeout | undefined;
    if (signal?.aborted) return cancel();
    signal?.addEventListener('abort', cancel, { once: true });

    dispatcher.dispatch(
      { headersTimeout: answerTimeoutMs, bodyTimeout: answerTimeoutMs, ...request },
      {
        onRequestStart(started) {
          if (over || controller !== undefined) {
            fail('undici dispatched it a second time');
            started.abort(new Error('over'));
            return;
          }
          controller = started;
          clearTimeout(timer);
          timer = deadline(answerTimeoutMs, 'answer');
        },
        onResponseStart(_controller, code, fields) {
          if (code < 200) return;
          status = code;
          headers = fields;
        },
        onResponseData(_controller, chunk) {
          chunks.push(chunk);
        },
        onResponseEnd() {
          if (!over && status !== null) {
            finish({ kind: 'answer', status, headers, body: Buffer.concat(chunks) });
          }
        },
        onResponseError(_controller, error) {
          fail(wordsFor(error));
        },
      },
    );
    // On a connection that is there it has begun by now.
    if (controller === undefined && !over) timer = deadline(connectTimeoutMs, 'connection');
  });
}
