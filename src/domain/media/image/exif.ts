/** The one EXIF tag that matters to the size of a picture. */

/** Tag 0x0112 of the first directory (Exif 2.32, 4.6.4 A): 1..8; 5..8 turn the picture by a quarter. */
const ORIENTATION = 0x0112;
const SHORT = 3;
const ENTRY_BYTES = 12;

/**
 * Whether width and height trade places when the picture is shown, by its EXIF block (a TIFF header and its
 * first directory). A block that cannot be read says nothing, as in every viewer; it is no reason to refuse.
 */
export function isTurned(tiff: Buffer): boolean {
  const order = tiff.toString('latin1', 0, 4);
  if (order !== 'II*\0' && order !== 'MM\0*') return false;
  const little = order === 'II*\0';
  const u16 = (at: number) => (little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  if (tiff.length < 10) return false;
  const directory = little ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
  if (directory + 2 > tiff.length) return false;
  const entries = u16(directory);
  for (let i = 0; i < entries; i++) {
    const at = directory + 2 + i * ENTRY_BYTES;
    if (at + ENTRY_BYTES > tiff.length) return false;
    if (u16(at) !== ORIENTATION) continue;
    const orientation = u16(at + 8);
    return u16(at + 2) === SHORT && orientation >= 5 && orientation <= 8;
  }
  return false;
}
