/** Names what a refused file is, by its first bytes, so that the caller understands the refusal. */

type Test = (bytes: Buffer) => boolean;

/** The signature at an offset, as latin1 text. */
function starts(signature: string, offset = 0): Test {
  const expected = Buffer.from(signature, 'latin1');
  return (bytes) => bytes.subarray(offset, offset + expected.length).equals(expected);
}

function riff(form: string): Test {
  return (bytes) => starts('RIFF')(bytes) && starts(form, 8)(bytes);
}

function brand(pattern: RegExp): Test {
  return (bytes) => starts('ftyp', 4)(bytes) && pattern.test(bytes.toString('latin1', 8, 12));
}

/** The beginning as text in lower case, without a byte order mark and leading white space. */
function text(pattern: RegExp): Test {
  return (bytes) => {
    const head = bytes.toString('latin1', 0, 1024).toLowerCase();
    return pattern.test(head.replace(/^(?:\xef\xbb\xbf)?\s*/, ''));
  };
}

/** SOI and the beginning of the next marker (T.81 Annex B). */
export const isJpeg = starts('\xff\xd8\xff');
/** W3C PNG §5.2. */
export const isPng = starts('\x89PNG\r\n\x1a\n');
/** A RIFF form of type WAVE. */
const isWav = riff('WAVE');
/** Any file of the ISO base media format (ISO/IEC 14496-12 §4.3), MP4 and M4A among them, and of QuickTime, its ancestor. */
export const isIsoMedia: Test = (bytes) =>
  /^(?:ftyp|moov|wide|mdat|free|skip)$/.test(bytes.toString('latin1', 4, 8));

/** What nothing else is known of. */
export const TEXT = 'text';

/** Ordered: the first that fits wins. */
const KINDS: ReadonlyArray<readonly [string, Test]> = [
  ['a JPEG image', isJpeg],
  ['a PNG image', isPng],
  ['a GIF image', starts('GIF8')],
  ['a WebP image', riff('WEBP')],
  ['a BMP image', (bytes) => starts('BM')(bytes) && starts('\0\0\0\0', 6)(bytes)],
  ['a TIFF image', (bytes) => starts('II*\0')(bytes) || starts('MM\0*')(bytes)],
  ['a JPEG XL image', (bytes) => starts('\xff\x0a')(bytes) || starts('\0\0\0\x0cJXL ')(bytes)],
  ['a JPEG 2000 image', starts('\0\0\0\x0cjP  ')],
  ['an HEIC image', brand(/^(?:hei|hev|mif1|msf1)/)],
  ['an AVIF image', brand(/^avi/)],
  ['a QuickTime film', brand(/^qt {2}/)],
  ['an MP4 file', isIsoMedia],
  ['a WAV sound', isWav],
  ['an AVI film', riff('AVI ')],
  ['an AIFF sound', (bytes) => starts('FORM')(bytes) && starts('AIF', 8)(bytes)],
  ['an Ogg file', starts('OggS')],
  ['a FLAC sound', starts('fLaC')],
  ['an MPEG layer II sound', (bytes) => bytes[0] === 0xff && ((bytes[1] ?? 0) & 0xf6) === 0xf4],
  ['UTF-16 text', (bytes) => starts('\xff\xfe')(bytes) || starts('\xfe\xff')(bytes)],
  ['an AMR sound', starts('#!AMR')],
  ['an AAC sound in ADIF form', starts('ADIF')],
  ['an MPEG transport stream', (bytes) => starts('G')(bytes) && starts('G', 188)(bytes)],
  ['a CAF sound', starts('caff')],
  ['a Matroska or WebM file', starts('\x1aE\xdf\xa3')],
  ['a Windows Media file', starts('\x30\x26\xb2\x75\x8e\x66\xcf\x11')],
  ['a PDF', starts('%PDF-')],
  ['a ZIP archive', (bytes) => starts('PK\x03\x04')(bytes) || starts('PK\x05\x06')(bytes)],
  ['a gzip archive', starts('\x1f\x8b\x08')],
  ['an SVG drawing', text(/^<svg\b|^<(?:\?xml|!doctype svg|!--)[\s\S]*<svg\b/)],
  ['an HTML page', text(/^<(?:!doctype html|html|head|body)\b/)],
  ['XML', text(/^<\?xml\b/)],
  [TEXT, (bytes) => bytes.length > 0 && isText(bytes.subarray(0, 512))],
];

/** What the bytes look like ("a GIF image"), or `null` where nothing known fits. */
export function looksLike(bytes: Buffer): string | null {
  return KINDS.find(([, test]) => test(bytes))?.[0] ?? null;
}

function isText(bytes: Buffer): boolean {
  return bytes.every((byte) => (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d));
}
