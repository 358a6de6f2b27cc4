/**
 * Where the gateway means to differ from the judge, each with its reason. What is expected is written by hand; a
 * file that no longer needs its exception fails as much as one that needs one and has none.
 */

interface Exception {
  readonly why: string;
  /** In the words of `describe`. */
  readonly says: string;
  readonly files: readonly string[];
}

const EXCEPTIONS: readonly Exception[] = [
  {
    why: 'cut short: the sound says how long it is, and is not all there; ffmpeg plays what is left of it',
    says: 'no (unreadable)',
    files: [
      'wav cut at a half',
      'wav cut by one sample',
      'wav cut by 1 byte',
      'wav cut by 4,096 bytes',
      'wav cut to a tenth',
      'wav of 50 MB, cut',
      'wav of RecordRTC, cut',
      'mp3 cut at a half, Xing',
      'mp3 Info promises 20 frames more (cut between frames)',
    ],
  },
  {
    why: 'ffmpeg takes it from a file and not from a pipe, as a service reads it; nobody is known to write it',
    says: 'no (unreadable)',
    files: ['wav "data" before "fmt "'],
  },
  {
    why: 'each part is measured with its own sample rate; ffprobe measures both with that of the first',
    says: 'mp3 5.124 s',
    files: ['mp3 two sample rates'],
  },
  { why: 'as above', says: 'mp3 5.056 s', files: ['mp3 two sample rates in one, with Info'] },
  { why: 'as above', says: 'mp3 5.112 s', files: ['mp3 MPEG-2 and then MPEG-1'] },
  { why: 'as above', says: 'aac 5.184 s', files: ['aac two sample rates in one'] },
  {
    why: 'W3C PNG, third edition, has eXIf and viewers turn the picture by it; ImageMagick 6 does not read the chunk',
    says: 'png 320x400',
    files: [
      'png eXIf orientation 5',
      'png eXIf orientation 6',
      'png eXIf orientation 7',
      'png eXIf orientation 8',
    ],
  },
  {
    why: 'more lenient: the container is whole and the picture in it damaged; pixels are not decoded here',
    says: 'jpeg 400x320',
    files: ['jpeg cut at a half, then an end marker'],
  },
  {
    why: 'more lenient: as above; the frame header is believed about its size',
    says: 'jpeg 400x640',
    files: ['jpeg claims twice its height'],
  },
  {
    why: 'more lenient: as above, of PNG',
    says: 'png 400x320',
    files: ['png picture data that is half a picture', 'png picture data that is noise'],
  },
];

/** By the name of the file. */
export const exceptions: ReadonlyMap<string, Exception> = new Map(
  EXCEPTIONS.flatMap((exception) => exception.files.map((name) => [name, exception])),
);
