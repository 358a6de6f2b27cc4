import type { Call, Send } from './transport.js';
import type { Video } from './types.js';

/** The time of the attempt ends with the head of the answer: a video may take as long as it is read. */
export function openVideo(send: Send, call: Call): Promise<Video> {
  return send(call, async ({ status, headers, body }) => {
    const length = headers.get('content-length');
    return {
      body: until(call.signal, body as ReadableStream<Uint8Array>),
      contentType: headers.get('content-type') ?? 'application/octet-stream',
      contentLength: length === null ? null : Number(length),
      etag: headers.get('etag'),
      status: status as Video['status'],
      contentRange: headers.get('content-range'),
    };
  });
}

function until(
  signal: AbortSignal | undefined,
  body: ReadableStream<Uint8Array>,
): ReadableStream<Uint8Array> {
  if (signal === undefined) return body;
  return body.pipeThrough(new TransformStream<Uint8Array, Uint8Array>(), { signal });
}
