/**
 * Records of final avatars as they lie in Redis: all but the schema number deflated, since a million of them are kept in
 * memory, and most of each is the same in all. Those that go on are few, and stay readable.
 *
 * The letter behind the number says with which dictionary: a better one gets a letter of its own. A record that is not packed, `4 {...}`, is read as it is.
 */

import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { CorruptRecordError, SCHEMA } from '../record.js';

const LETTER = 'z';
/** What records have in common: rarer words first, then how they begin and end. */
const DICTIONARY = Buffer.from(
  [
    'Modellix called the task a success and named no video.',
    ' A task may or may not have been made, so it is not sent again: look for it in the Modellix console, and resolve the avatar with what you find.',
    '"failure":{"type":"outcome-unknown","failure":{"type":"task-failed","detail":"","upstreamStatus":null},',
    '"callback":{"url":"https://","state":"delivered","since":17,"nextAt":null,"deliveries":[{"attempt":1,"at":17,"latencyMs":1,"status":200,"error":null}]},',
    '"mode":"pro","format":"png","format":"wav","kept":true,"step":"deliver","step":"keep"',
    '.mp4?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=&X-Amz-Date=&X-Amz-Expires=&X-Amz-SignedHeaders=host&X-Amz-Signature=',
    '.mp4?OSSAccessKeyId=.mp4?Expires=17&Key-Pair-Id=&Signature=',
    '"idempotency":null,"mode":"std","prompt":null,"externalId":null,"metadata":{},"image":{"source":"url","format":null,"width":null,"height":null,"bytes":null},',
    '"audio":{"source":"audio_id","format":null,"durationSeconds":null,"bytes":null},"costEstimateUsd":null,"spend":null,"traceparent":null,',
    '"step":"expire","taskId":null,"video":null,"callback":null,"failure":null,"polls":0,"polledAt":null,"failures":0,"createdAt":17,"startBy":null,"submittedAt":null,"completedAt":17,"expiresAt":17}',
    '{"id":"av_","caller":"anonymous","idempotency":{"key":"","fingerprint":""},"step":"expire","mode":"std","prompt":"","externalId":"","metadata":{"":""},',
    '"image":{"source":"inline","format":"jpeg","width":1024,"height":1024,"bytes":1},"audio":{"source":"inline","format":"mp3","durationSeconds":1,"bytes":1},"costEstimateUsd":0.,',
    '"spend":{"reserved":{"durationMs":1000,"units":100},"settled":{"durationMs":1000,"units":100},"billed":null},"traceparent":"00-',
    '-01","taskId":"task-","video":{"url":"https://","format":"mp4","width":720,"height":1280,"bytes":1,"expiresAt":17,"keptBytes":null},"callback":null,',
    '"failure":null,"polls":1,"polledAt":17,"failures":0,"createdAt":17,"startBy":null,"submittedAt":17,"completedAt":17,"expiresAt":17}',
  ].join(''),
);
/** As few bytes of working memory as the dictionary and a long record need. */
const WINDOW_BITS = 13;
const MEMORY_LEVEL = 6;
/** Far above any record: what is longer is none. */
const LONGEST = 4 * 1024 * 1024;
const PACKED = new RegExp(`^([1-9]\\d{0,8}) ${LETTER}`);
const LONGEST_HEAD = 12;

/**
 * @param doc from `encodeRecord`
 * @param beside what lies beside it and is the same whenever it is read: words that are there are not said again
 */
export function pack(doc: Buffer, beside: string): Buffer {
  const head = Buffer.from(`${SCHEMA} ${LETTER}`);
  const body = doc.subarray(head.length - LETTER.length);
  const options = {
    dictionary: dictionaryWith(beside),
    windowBits: WINDOW_BITS,
    memLevel: MEMORY_LEVEL,
    level: 9,
  };
  return Buffer.concat([head, deflateRawSync(body, options)]);
}

/**
 * For `decodeRecord`. What is not packed, and what a newer release packed, is returned as it is.
 * @throws CorruptRecordError
 */
export function unpack(bytes: Buffer, beside: string): Buffer {
  const [head, schema] = PACKED.exec(bytes.toString('latin1', 0, LONGEST_HEAD)) ?? [];
  if (head === undefined || Number(schema) > SCHEMA) return bytes;
  try {
    const options = { dictionary: dictionaryWith(beside), windowBits: WINDOW_BITS, maxOutputLength: LONGEST };
    return Buffer.concat([Buffer.from(`${schema} `), inflateRawSync(bytes.subarray(head.length), options)]);
  } catch {
    throw new CorruptRecordError('a packed record cannot be unpacked');
  }
}

function dictionaryWith(beside: string): Buffer {
  return Buffer.concat([Buffer.from(beside), DICTIONARY]);
}
