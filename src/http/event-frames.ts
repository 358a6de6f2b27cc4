import type { SeenVersion } from '../gateway/view.js';
import { fingerprintOf } from './etag.js';
import { avatarView } from './view.js';

/** An event as it is sent. JSON has no line feeds of its own. */
function frame(name: string, data: object, id?: string): Buffer {
  const idLine = id === undefined ? '' : `id: ${id}\n`;
  return Buffer.from(`event: ${name}\n${idLine}data: ${JSON.stringify(data)}\n\n`);
}

/** Put into words once, however many read it. */
const avatarFrames = new WeakMap<SeenVersion, Buffer>();
const changeFrames = new WeakMap<SeenVersion, Buffer>();

/** The version says which one is later. What tells whether it was seen is the fingerprint: not every version shows. */
export function avatarFrame(seen: SeenVersion, basePath: string): Buffer {
  return framed(avatarFrames, seen, `${seen.version}-${fingerprintOf(seen.avatar)}`, basePath);
}

export function changeFrame(at: number, seen: SeenVersion, basePath: string): Buffer {
  return framed(changeFrames, seen, String(at), basePath);
}

function framed(
  frames: WeakMap<SeenVersion, Buffer>,
  seen: SeenVersion,
  id: string,
  basePath: string,
): Buffer {
  const bytes = frames.get(seen) ?? frame('avatar', avatarView(seen, basePath), id);
  frames.set(seen, bytes);
  return bytes;
}

export function deletedFrame(id: string): Buffer {
  return frame('deleted', { id });
}

export function resetFrame(at: number): Buffer {
  return frame('reset', {}, String(at));
}
