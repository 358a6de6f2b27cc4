import { checkAudio, checkImage, decodeSource } from './media.js';
import { isObject, Refusal } from './wire.js';

/** What a submit asks for, once every check is passed. */
export interface SubmitRequest {
  readonly mode: 'std' | 'pro';
  readonly prompt: string | null;
  readonly image: 'url' | 'inline';
  readonly audio: 'id' | 'url' | 'inline';
  /** Known for inline audio only. */
  readonly audioSeconds: number | null;
}

const FIELDS = ['image', 'audio_id', 'sound_file', 'prompt', 'mode'];

/** Reads and checks the body of a submit as strictly as Modellix does; throws a `Refusal`. */
export async function checkSubmit(body: Buffer, contentType: string | undefined): Promise<SubmitRequest> {
  if (!/^application\/json\s*(;|$)/i.test(contentType ?? '')) {
    throw new Refusal(415, 'Unsupported media type: Content-Type must be application/json');
  }
  const fields = parse(body);
  const unknown = Object.keys(fields).find((name) => !FIELDS.includes(name));
  if (unknown !== undefined) throw new Refusal(400, `Invalid parameters: unknown parameter ${unknown}`);

  const image = text(fields, 'image');
  const audioId = text(fields, 'audio_id');
  const soundFile = text(fields, 'sound_file');
  const prompt = text(fields, 'prompt');
  const mode = text(fields, 'mode') ?? 'std';
  if (image === null) throw new Refusal(400, 'Missing required parameter: image');
  if (audioId === null && soundFile === null) {
    throw new Refusal(400, 'Missing required parameter: audio_id or sound_file');
  }
  if (audioId !== null && soundFile !== null) {
    throw new Refusal(400, 'Invalid parameters: audio_id and sound_file exclude each other');
  }
  if (prompt !== null && [...prompt].length > 2500) {
    throw new Refusal(400, 'Value out of range: prompt must have 1 to 2500 characters');
  }
  if (mode !== 'std' && mode !== 'pro') {
    throw new Refusal(400, 'Invalid parameters: mode must be one of std, pro');
  }

  const imageBytes = decodeSource('image', image);
  if (imageBytes !== null) checkImage(imageBytes);
  const audioBytes = soundFile === null ? null : decodeSource('sound_file', soundFile);
  return {
    mode,
    prompt,
    image: imageBytes === null ? 'url' : 'inline',
    audio: soundFile === null ? 'id' : audioBytes === null ? 'url' : 'inline',
    audioSeconds: audioBytes === null ? null : await checkAudio(audioBytes),
  };
}

function parse(body: Buffer): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    throw new Refusal(400, 'Invalid format: the request body is not valid JSON');
  }
  if (!isObject(value)) throw new Refusal(400, 'Invalid parameters: the request body must be a JSON object');
  return value;
}

function text(fields: Record<string, unknown>, name: string): string | null {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (value === undefined) return null;
  if (typeof value !== 'string') throw new Refusal(400, `Invalid parameters: ${name} must be a string`);
  if (value === '') throw new Refusal(400, `Value out of range: ${name} must have at least 1 character`);
  return value;
}
