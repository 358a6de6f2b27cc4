/**
 * Every problem a caller can meet (RFC 9457). The slug is stable: `type` is `urn:avatar-gateway:problem:<slug>`.
 */

export interface ProblemType {
  readonly status: number;
  readonly title: string;
  /** What it means and what to do, for the documentation. */
  readonly help: string;
}

export const CATALOGUE = {
  'bad-request': {
    status: 400,
    title: 'The request is not valid HTTP',
    help: 'The bytes could not be read as an HTTP request, or the URL is malformed.',
  },
  'invalid-json': {
    status: 400,
    title: 'The body is not acceptable JSON',
    help: 'Send one JSON object in UTF-8: no duplicate members, no prototype members, at most 250 members and 16 levels.',
  },
  'invalid-multipart': {
    status: 400,
    title: 'The form is not acceptable',
    help: 'Send `multipart/form-data` with each field once: `image` and `sound_file` as files or text, the others as text or JSON.',
  },
  'idempotency-key-invalid': {
    status: 400,
    title: 'The Idempotency-Key is not valid',
    help: 'Send 1 to 255 visible ASCII characters, bare or in double quotes.',
  },
  'idempotency-key-required': {
    status: 400,
    title: 'An Idempotency-Key is required here',
    help: 'This gateway makes no avatar without an `Idempotency-Key`.',
  },
  'invalid-query': {
    status: 400,
    title: 'A query parameter is not valid',
    help: '`errors` names each parameter at fault. Unknown and repeated parameters are refused.',
  },
  'invalid-cursor': {
    status: 400,
    title: 'The cursor is not valid',
    help: 'Send `next_cursor` as it was given, with the filters of the page that it came with.',
  },
  unauthorized: {
    status: 401,
    title: 'A key is required here',
    help: 'Send `Authorization: Bearer <your key>`. The key is unknown, expired, or was not sent in this form.',
  },
  'spend-cap-reached': {
    status: 402,
    title: 'A spend cap is reached',
    help: 'The avatar could cost more than is left of what you may spend. `detail` says until when. Nothing was made.',
  },
  forbidden: {
    status: 403,
    title: 'This is not yours to do',
    help: '`detail` says what your key is not for; without keys, this machine alone is served.',
  },
  'not-found': {
    status: 404,
    title: 'There is nothing here',
    help: 'No such route, or no such avatar among yours.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'The method is not allowed here',
    help: 'The `Allow` header lists what is.',
  },
  'not-acceptable': {
    status: 406,
    title: 'No acceptable representation',
    help: 'The `Accept` header excludes everything this route can answer with.',
  },
  'request-timeout': {
    status: 408,
    title: 'The request took too long to arrive',
    help: 'The headers or the body were sent too slowly. Send the request again.',
  },
  'video-not-ready': {
    status: 409,
    title: 'The video is not there yet',
    help: 'The avatar has not succeeded. Read the avatar for its status.',
  },
  'not-unconfirmed': {
    status: 409,
    title: 'There is no doubt to end',
    help: 'Only an avatar that is `unconfirmed` or `timed_out` can be resolved.',
  },
  'not-cancelable': {
    status: 409,
    title: 'The avatar can no longer be canceled',
    help: 'Only an avatar that is `queued` can be canceled: later it may have been paid for.',
  },
  'not-final': {
    status: 409,
    title: 'The avatar is not final',
    help: 'Wait for its end, or cancel it while it is `queued`. One that is `unconfirmed` has to be resolved first.',
  },
  'no-callback': {
    status: 409,
    title: 'There is nobody to be told',
    help: 'The avatar was made without a `callback_url`, or this gateway does not send its callback.',
  },
  'task-taken': {
    status: 409,
    title: 'The task belongs to another avatar',
    help: 'Each task of Modellix belongs to one avatar. Look again which task this avatar was.',
  },
  'video-gone': {
    status: 410,
    title: 'The video is no longer there',
    help: 'Modellix keeps a result for some days only; it has dropped this one, and the gateway kept none.',
  },
  'payload-too-large': {
    status: 413,
    title: 'The body is too large',
    help: 'An image may have 10 MB and speech 5 MB, before base64.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The content type is not supported',
    help: 'Send `Content-Type: application/json`, in UTF-8, without a content encoding; where files are taken also `multipart/form-data`.',
  },
  'range-not-satisfiable': {
    status: 416,
    title: 'The range is outside the file',
    help: '`Content-Range` holds its size.',
  },
  validation: {
    status: 422,
    title: 'A field is not valid',
    help: '`errors` holds a JSON pointer and a reason for each field at fault. Nothing was spent.',
  },
  'invalid-media': {
    status: 422,
    title: 'The image or the audio cannot be used',
    help: '`errors` says which and why. Nothing was spent.',
  },
  'url-not-allowed': {
    status: 422,
    title: 'The URL is not allowed',
    help: 'URLs are http or https, at most 8192 characters, without user info. What is called or fetched is on the public internet, unless whoever runs the gateway allows more.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'The Idempotency-Key stands for another request',
    help: 'A key names one request for as long as its avatar is remembered. Send a new key with a new request.',
  },
  'refused-by-modellix': {
    status: 422,
    title: 'Modellix refused the request',
    help: '`detail` holds the words of Modellix. No task was made and nothing was spent.',
  },
  'content-refused': {
    status: 422,
    title: 'The content was refused',
    help: 'The image, the speech or the prompt is against the rules of Modellix or of Kling behind it, whose words are in `detail`. The same content will be refused again: change it, and make a new avatar.',
  },
  'queue-full': {
    status: 429,
    title: 'Too many avatars wait for Modellix',
    help: 'Try again after `Retry-After`. Nothing was made.',
  },
  'too-many-unfinished': {
    status: 429,
    title: 'You have as many unfinished avatars as you may',
    help: 'Wait until one of yours ends. Nothing was made.',
  },
  'rate-limited': {
    status: 429,
    title: 'Too many requests',
    help: 'Wait as long as `Retry-After` says.',
  },
  'headers-too-large': {
    status: 431,
    title: 'The request headers are too large',
    help: 'All headers together may have 16 kB.',
  },
  internal: {
    status: 500,
    title: 'Something went wrong in the gateway',
    help: 'Quote `request_id` to whoever runs the gateway.',
  },
  'record-damaged': {
    status: 500,
    title: 'The record of the avatar is damaged',
    help: 'Whoever runs the gateway finds in the log which avatar it is, and in the Modellix console whether it was made. Its `Idempotency-Key` makes no other avatar: send a new one to have it made anew.',
  },
  'task-failed': {
    status: 502,
    title: 'Modellix could not make the video',
    help: '`detail` holds the reason Modellix gave.',
  },
  'canceled-by-modellix': {
    status: 502,
    title: 'Modellix canceled the task',
    help: 'Neither you nor the gateway did. `detail` holds what Modellix said of it. Make a new avatar, unless it says why that would come to the same.',
  },
  'task-lost': {
    status: 502,
    title: 'Modellix no longer knows the task',
    help: 'The task was accepted and later not found. Ask Modellix with the task id.',
  },
  'outcome-unknown': {
    status: 502,
    title: 'It is not known whether Modellix took the request',
    help: 'The request left, no usable answer came. It is never sent again by itself, since that could bill twice. Look in the Modellix console.',
  },
  'not-made': {
    status: 502,
    title: 'Modellix never took the request',
    help: 'Whoever runs the gateway found that no task was made. Nothing was spent. Make a new avatar.',
  },
  'video-unavailable': {
    status: 502,
    title: 'The video could not be fetched',
    help: 'The host of the video did not answer properly. Try again.',
  },
  overloaded: {
    status: 503,
    title: 'Too much is under way',
    help: 'The gateway holds as much media, or as many event streams, as it may. Nothing was read and nothing made. Try again after `Retry-After`.',
  },
  'account-problem': {
    status: 503,
    title: 'Modellix does not accept the key',
    help: 'Whoever runs the gateway has to mend the key, or what it may do. No task was made.',
  },
  arrears: {
    status: 503,
    title: 'The account at Modellix cannot pay',
    help: 'Its balance is used up, or it is in arrears. Whoever runs the gateway has to top it up. Make a new avatar then.',
  },
  'parallel-limit': {
    status: 503,
    title: 'Too many tasks ran at the same time',
    help: 'Modellix took the task, and Kling behind it had no room for it. Make a new avatar later. Where it comes again, whoever runs the gateway has to lower what may run at the same time.',
  },
  'not-ready': {
    status: 503,
    title: 'The gateway is not ready',
    help: '`detail` says what it waits for.',
  },
  'video-delayed': {
    status: 503,
    title: 'The video cannot be had yet',
    help: 'Its host does not have it yet, or its URL has expired and Modellix cannot be asked for another one right now. Try again after `Retry-After`.',
  },
  'store-unavailable': {
    status: 503,
    title: 'The task store cannot be reached',
    help: 'Try again after `Retry-After`. Without an `Idempotency-Key` an avatar may, rarely, have been made all the same.',
  },
  'never-sent': {
    status: 504,
    title: 'Modellix could not be reached in time',
    help: 'The avatar waited too long to be submitted. No task was made; nothing was spent.',
  },
  'not-started-in-time': {
    status: 504,
    title: 'The avatar was not submitted in time',
    help: 'The seconds of its `start_within_seconds` were over before it could be submitted. No task was made; nothing was spent. Make a new one that may wait for longer.',
  },
  'task-timeout': {
    status: 504,
    title: 'Modellix never finished',
    help: 'The task did not finish in time. Its id is kept in `task_id`.',
  },
} as const satisfies Record<string, ProblemType>;
