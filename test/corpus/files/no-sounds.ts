/** What is sent as a sound and is none of the four kinds. */

import { files } from '../kit.js';
import { jpeg } from './jpegs.js';
import { flac, noise, wave } from './sounds.js';

const text = (value: string) => Buffer.from(value, 'latin1');

export const NO_SOUNDS = files('audio', {
  'no sound: Ogg Vorbis': (kit) => kit.sound('ogg', ...noise(2.5, 16_000), '-c:a', 'libvorbis'),
  'no sound: Ogg Opus': (kit) => kit.sound('opus', ...noise(2.5, 16_000), '-b:a', '24k'),
  'no sound: FLAC': (kit) => flac(kit),
  'no sound: FLAC in Ogg': (kit) => kit.sound('oga', ...noise(2.5, 16_000), '-c:a', 'flac'),
  'no sound: AIFF': (kit) => kit.sound('aiff', ...noise(2.5, 8_000)),
  'no sound: AU': (kit) => kit.sound('au', ...noise(2.5, 8_000)),
  'no sound: CAF': (kit) => kit.sound('caf', ...noise(2.5, 8_000)),
  'no sound: AMR': () => Buffer.concat([text('#!AMR\n'), ...Array.from({ length: 150 }, () => AMR_SILENCE)]),
  'no sound: WMA': (kit) => kit.sound('wma', ...noise(2.5, 16_000)),
  'no sound: AC-3': (kit) => kit.sound('ac3', ...noise(2.5, 32_000), '-b:a', '64k'),
  'no sound: Matroska': (kit) => kit.sound('mka', ...noise(2.5, 16_000), '-c:a', 'aac'),
  'no sound: WebM': (kit) => kit.sound('webm', ...noise(2.5, 16_000), '-b:a', '24k'),
  'no sound: MPEG-TS': (kit) => kit.sound('ts', ...noise(2.5, 16_000), '-c:a', 'aac'),
  'no sound: AAC in LATM': (kit) => kit.sound('latm', ...noise(2.5, 16_000), '-c:a', 'aac'),
  'no sound: AVI': (kit) => kit.sound('avi', ...noise(2.5, 16_000), '-c:a', 'pcm_s16le'),
  'no sound: raw samples': async (kit) => (await wave(kit, 2.5)).subarray(78),
  'no sound: JPEG': (kit) => jpeg(kit, 400, 320),
  'no sound: text': () => text('a text file\n'.repeat(500)),
  'no sound: HTML': () => text('<!doctype html><title>404</title><p>Not found'),
  'no sound: PDF': () => text('%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n'),
  'no sound: empty': () => Buffer.alloc(0),
  'no sound: one byte': () => text('\xff'),
  'no sound: zeros': () => Buffer.alloc(50_000),
  'no sound: ones': () => Buffer.alloc(50_000, 0xff),
});

/** A frame of AMR-NB without sound: mode 7 is 12.2 kbit/s, of 31 bytes after the header. */
const AMR_SILENCE = Buffer.concat([Buffer.from([0x3c]), Buffer.alloc(31)]);
