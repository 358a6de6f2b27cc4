import type { VersionedSnapshot } from '../../gateway/view.js';
import { jsonOf, rendered } from '../avatar/rendered.js';

/** An event as it is sent. @param json has no line feeds of its own */
function frame(name: string, json: string, id?: string): Buffer {
  const idLine = id === undefined ? '' : `id: ${id}\n`;
  return Buffer.from(`event: ${name}\n${idLine}data: ${json}\n\n`);
}

/** Put into words once, however many read it. */
type Frames = WeakMap<VersionedSnapshot, Buffer>;
const avatarFrames: Frames = new WeakMap();
const changeFrames: Frames = new WeakMap();

/** The version says which one is later. What tells whether it was seen is the fingerprint: not every version shows. */
export function avatarFrame(seen: VersionedSnapshot, basePath: string): Buffer {
  const { fingerprint } = rendered(seen.avatar, basePath);
  return framed(avatarFrames, seen, `${seen.version}-${fingerprint}`, basePath);
}

export function changeFrame(at: number, seen: VersionedSnapshot, basePath: string): Buffer {
  return framed(changeFrames, seen, String(at), basePath);
}

function framed(frames: Frames, seen: VersionedSnapshot, id: string, basePath: string): Buffer {
  const bytes = frames.get(seen) ?? frame('avatar', jsonOf(seen, basePath), id);
  frames.set(seen, bytes);
  return bytes;
}

export function deletedFrame(id: string): Buffer {
  return frame('deleted', JSON.stringify({ id }));
}

export function resetFrame(at: number): Buffer {
  return frame('reset', '{}', String(at));
}
