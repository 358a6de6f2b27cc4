/** Sends a request and takes what comes, for as long as it is worth while. */

import { type Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { ApiRequest } from './requests.js';

/** How long an answer that was asked to come later is waited for. */
const MOMENT_MS = 500;
/** An answer that has not come to its end by then never will, however busy the machine is. */
const HANG_MS = 60_000;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Whether it came to its end; otherwise it was asked to wait, and the fuzzer did not. */
  readonly isWhole: boolean;
}

/** `null`: it was asked to be answered later, and the fuzzer hung up before. @throws where no answer comes */
export function send(url: URL, request: ApiRequest, agent: Agent): Promise<Answer | null> {
  const { method, target, headers, body, waits } = request;
  return new Promise((resolve, reject) => {
    const length = body === null || 'transfer-encoding' in headers ? {} : { 'content-length': body.length };
    const outgoing = httpRequest({
      agent,
      host: url.hostname,
      port: url.port,
      method,
      path: target,
      headers: { ...headers, ...length },
    });
    let answer: Omit<Answer, 'isWhole' | 'body'> | null = null;
    const chunks: Buffer[] = [];
    const settle = (isWhole: boolean) => {
      clearTimeout(moment);
      clearTimeout(hang);
      resolve(answer === null ? null : { ...answer, body: Buffer.concat(chunks), isWhole });
    };
    const fail = (error: Error) => {
      clearTimeout(moment);
      clearTimeout(hang);
      reject(error);
    };
    const hangUp = () => {
      settle(false);
      outgoing.destroy();
    };
    const moment = waits ? setTimeout(hangUp, MOMENT_MS) : undefined;
    const hang = setTimeout(() => {
      fail(new Error(`no answer after ${HANG_MS} ms`));
      outgoing.destroy();
    }, HANG_MS);
    outgoing.on('response', (response) => {
      answer = { status: response.statusCode ?? 0, headers: response.headers };
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => settle(true));
      response.on('error', fail);
    });
    outgoing.on('error', fail);
    outgoing.end(body ?? undefined);
  });
}
