import type { SeenVersion } from '../gateway/seen.js';
import { fingerprintOf } from './etag.js';
import { avatarView } from './view.js';

/** An event as it is sent. JSON has no line feeds of its own. */
function frame(event: { readonly id?: string; readonly name: string; readonly data: object }): Buffer {
  const id = event.id === undefined ? '' : `id: ${event.id}\n`;
  return Buffer.from(`event: ${event.name}\n${id}data: ${JSON.stringify(event.data)}\n\n`);
}

/** Put into words once, however many read it. */
const avatarFrames = new WeakMap<SeenVersion, Buffer>();
const changeFrames = new WeakMap<SeenVersion, Buffer>();

/** The version says which one is later. What tells whether it was seen is the fingerprint: not every version shows. */
export function avatarFrame(seen: SeenVersion, basePath: string): Buffer {
  const id = `${seen.version}-${fingerprintOf(seen.avatar)}`;
  return framed(avatarFrames, seen, id, basePath);
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
  const before = frames.get(seen);
  if (before !== undefined) return before;
  const bytes = frame({ name: 'avatar', id, data: avatarView(seen, basePath) });
  frames.set(seen, bytes);
  return bytes;
}

export function deletedFrame(id: string): Buffer {
  return frame({ name: 'deleted', data: { id } });
}

export function resetFrame(at: number): Buffer {
  return frame({ name: 'reset', id: String(at), data: {} });
}
