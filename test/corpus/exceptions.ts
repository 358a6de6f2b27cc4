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
    why: 'stricter: a WAV whose header lies is invalid media; players guess, and Modellix may guess otherwise',
    says: 'no (unreadable)',
    files: [
      'wav cut at a half',
      'wav cut by one sample',
      'wav data claims 1 GB',
      'wav form claims 1 GB',
      'wav form claims less than its data',
      'wav lengths of 0xffffffff, as to a pipe',
      'wav lengths of 0, never filled in',
      'wav byte rate of half',
      'wav blocks of 0 bytes',
      'wav "data" before "fmt "',
    ],
  },
  {
    why: 'stricter: RF64 (EBU Tech 3306) is a format of its own, for files over 4 GB; the contract says wav',
    says: 'no (unreadable)',
    files: ['wav RF64'],
  },
  {
    why: 'stricter: the file is not whole, so that the sound was not sent whole; ffprobe only passes over it',
    says: 'no (unreadable)',
    files: ['mp3 cut in the last frame, no Xing', 'm4a cut in moov', 'm4a more samples than sizes'],
  },
  {
    why: 'stricter: 10 KB that are no frames are more than players have to skip',
    says: 'no (unreadable)',
    files: ['mp3 a hole of 10 KB', 'aac a hole of 10 KB'],
  },
  {
    why: 'stricter: a second sample rate has no place in one stream; ffprobe measures it with the rate of the first',
    says: 'no (unreadable)',
    files: ['mp3 two sample rates'],
  },
  {
    why: 'twice the 107 frames of 24 ms: ffmpeg loses the first frame behind a tag that stands in the middle',
    says: 'mp3 5.136 s',
    files: ['mp3 two files in one, both with tags'],
  },
  {
    why: 'stricter: arithmetic coding is not in what browsers and most decoders read',
    says: 'no (unreadable)',
    files: ['jpeg arithmetic frame'],
  },
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
