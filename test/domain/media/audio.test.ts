/** The contract's rules for the sound: length and size at their borders, and every kind of file. */

import t from 'tap';
import { inspectAudio, MAX_AUDIO_BYTES } from '../../../src/domain/media/audio/audio.js';
import { adts, fixture, mp3, patch, refusal, u32be, wav } from './make.js';

const refused = (bytes: Buffer) => refusal(() => inspectAudio(bytes));
const secondsOf = async (bytes: Buffer) => (await inspectAudio(bytes)).durationSeconds;

/** What is forgiven in a sound that is taken. */
async function forgivenIn(bytes: Buffer): Promise<string[]> {
  const forgiven: string[] = [];
  await inspectAudio(bytes, ({ what }) => forgiven.push(what));
  return forgiven;
}

/**
 * The second number is what `ffmpeg -i FILE -f s16le -ac 1 - | wc -c` came to in samples when the file was made,
 * over its rate; for m4a it is ffprobe's, since ffmpeg 5 decodes the padding at the end as well.
 */
t.test('real files, as long as ffmpeg decodes them', async (t) => {
  const cases: Array<[string, 'mp3' | 'wav' | 'm4a' | 'aac', number]> = [
    ['cbr.mp3', 'mp3', 48_000 / 16_000],
    ['cbr-bare.mp3', 'mp3', 49_536 / 16_000],
    ['vbr.mp3', 'mp3', 154_350 / 44_100],
    ['vbr-bare.mp3', 'mp3', 155_520 / 44_100],
    ['mpeg25.mp3', 'mp3', 20_000 / 8_000],
    ['tagged.mp3', 'mp3', 55_125 / 22_050],
    ['late-moov.m4a', 'm4a', 2.5],
    ['early-moov.m4a', 'm4a', 2.5],
    ['fragmented.m4a', 'm4a', 2.523],
    ['lc.aac', 'aac', 111_616 / 44_100],
    ['film.mov', 'm4a', 2.5],
    ['tagged.wav', 'wav', 20_000 / 8_000],
  ];
  for (const [name, format, seconds] of cases) {
    const bytes = fixture(name);
    const durationSeconds = Number(seconds.toFixed(3));
    t.strictSame(
      await inspectAudio(bytes),
      { source: 'inline', format, durationSeconds, bytes: bytes.length },
      name,
    );
  }
});

t.test('2 and 300 seconds, and just outside', async (t) => {
  const cases: Array<[string, Buffer, number | RegExp]> = [
    ['wav 1.9', wav({ samples: 15_200 }), /^is 1.9 s long; it must be 2 to 300 s$/],
    ['wav a sample short of 2', wav({ samples: 15_999 }), /^is 1.999875 s long/],
    ['wav 2', wav({ samples: 16_000 }), 2],
    ['wav 300', wav({ samples: 2_400_000 }), 300],
    ['wav a sample over 300', wav({ samples: 2_400_001 }), /^is 300.000125 s long/],
    ['wav 300.1', wav({ samples: 2_400_800 }), /^is 300.1 s long/],
    ['mp3 1.944', mp3(27), /^is 1.944 s long/],
    ['mp3 2.016', mp3(28), 2.016],
    ['mp3 299.952', mp3(4166), 299.952],
    ['mp3 300.024', mp3(4167), /^is 300.024 s long/],
    ['aac 1.92', adts(15), /^is 1.92 s long/],
    ['aac 2.048', adts(16), 2.048],
    ['aac 299.904', adts(2343), 299.904],
    ['aac 300.032', adts(2344), /^is 300.032 s long/],
  ];
  for (const [name, bytes, expected] of cases) {
    if (typeof expected === 'number') t.equal(await secondsOf(bytes), expected, name);
    else t.match(await refused(bytes), expected, name);
  }
});

t.test('5 MB, and one byte more', async (t) => {
  const full = wav({ samples: (MAX_AUDIO_BYTES - 44) / 4, rate: 16_000, channels: 2, bits: 16 });
  t.match(await inspectAudio(full), { bytes: 5_000_000, durationSeconds: 78.124 });
  t.match(await refused(Buffer.concat([full, Buffer.alloc(1)])), /^has 5000001 bytes; .* 5000000 \(5 MB\)$/);
});

t.test('other kinds of file', async (t) => {
  const text = (value: string) => Buffer.from(value, 'latin1');
  const id3 = text('ID3\x04\0\0\0\0\0\x05.....');
  const cases: Array<[Buffer, RegExp]> = [
    [Buffer.alloc(0), /^is empty$/],
    [fixture('opus.ogg'), /^looks like an Ogg file; only mp3, wav, m4a and aac are taken$/],
    [fixture('flac.flac'), /a FLAC sound/],
    [Buffer.concat([id3, fixture('flac.flac')]), /a FLAC sound/],
    [fixture('layer2.mp2'), /an MPEG layer II sound/],
    [text('\0\0\0\x14ftyp3gp4\0\0\0\0isom'), /it has no "moov" box \(its brand is "3gp4"\)/],
    [text('\0\0\0\x18ftypheic\0\0\0\0mif1heic'), /no sound at all: .* \(its brand is "heic"\)/],
    [text(`G${'.'.repeat(187)}G${'.'.repeat(187)}`), /an MPEG transport stream/],
    [fixture('alac.m4a'), /codec is not AAC \(alac\)/],
    [fixture('mp3-inside.m4a'), /codec is not AAC \(object type 0x69\)/],
    [fixture('film.mp4'), /video track/],
    [fixture('adpcm.wav'), /codec 0x0002; only PCM, float, A-law and mu-law/],
    [fixture('baseline.jpg'), /a JPEG image/],
    [text('a text file\n'), /looks like text/],
    [text('\xff\xfea\0'), /UTF-16 text/],
    [text('<html>'), /an HTML page/],
    [text('ADIF\0\0'), /in ADIF form/],
    [text('RIFF\x04\0\0\0AVI '), /an AVI film/],
    [text('FORM\0\0\0\0AIFF'), /an AIFF sound/],
    [text('\x1aE\xdf\xa3'), /a Matroska or WebM file/],
    [text('#!AMR\n'), /an AMR sound/],
    [Buffer.alloc(100_000), /not recognised as a sound/],
    [Buffer.alloc(100_000, 0xff), /not recognised as a sound/],
    [id3, /not recognised as a sound/],
    [text('ID3\x04\0\0\0\0\0\x7f.....'), /cut short, inside a tag that begins at offset 0/],
  ];
  for (const [bytes, detail] of cases) t.match(await refused(bytes), detail);
});

t.test('tags, padding and forgivable bytes around the frames are no sound', async (t) => {
  const id3 = Buffer.from('ID3\x04\0\0\0\0\0\x05.....', 'latin1');
  const withFooter = Buffer.from('ID3\x04\0\x10\0\0\0\x05.....3DI.......', 'latin1');
  const id3v1 = Buffer.concat([Buffer.from('TAG'), Buffer.alloc(125, 0x20)]);
  const ape = Buffer.concat([
    Buffer.from('APETAGEX\xd0\x07\0\0\x28\0\0\0\x01\0\0\0\0\0\0\xa0', 'latin1'),
    Buffer.alloc(8 + 40, 0xff),
  ]);
  const stray = (count: number) => Buffer.alloc(count, 0x2e);
  for (const [name, sound] of Object.entries({ mp3: mp3(40), aac: adts(40) })) {
    const seconds = await secondsOf(sound);
    for (const [what, before] of Object.entries({ id3, withFooter, padding: Buffer.alloc(5000), ape })) {
      t.equal(
        await secondsOf(Buffer.concat([before, id3, sound, before, id3v1])),
        seconds,
        `${name}: ${what}`,
      );
    }
    // Decoders of mp3 lose a frame until they have found the next.
    const twice = 2 * (seconds ?? 0) - (name === 'mp3' ? 0.072 : 0);
    t.equal(await secondsOf(Buffer.concat([sound, id3v1, id3, sound])), twice, `${name}: two in a row`);
    const strayed = (count: number) => Buffer.concat([sound, stray(count), sound]);
    t.equal(await secondsOf(strayed(65_536)), twice, `${name}: a damaged place`);
    t.match(await refused(strayed(65_537)), /is a damaged (mp3|AAC)/, `${name}: too much of it`);
  }
});

t.test('an mp3 that promises more frames than it has', async (t) => {
  const good = fixture('cbr.mp3');
  const info = good.indexOf('Info');
  const frames = good.readUInt32BE(info + 8);
  // What is cut off at the end is counted from where the end was promised.
  t.equal(
    await secondsOf(patch(good, info + 11, frames + 1)),
    3.027,
    'the frame with the promise may be counted',
  );
  const more = (count: number) => patch(good, info + 11, frames + count);
  t.strictSame(await forgivenIn(more(5)), [`promises ${frames + 5} frames, there are ${frames}`], '[FMedia]');
  t.match(
    await refused(more(7)),
    new RegExp(`cut short: it promises ${frames + 7} frames, there are ${frames}; send the whole file$`),
    'a sixteenth is missing',
  );
  const vbri = Buffer.from(mp3(1));
  vbri.write('VBRI', 36, 'latin1');
  const promising = (count: number) => Buffer.concat([patch(vbri, 36 + 17, count), mp3(40)]);
  t.equal(await secondsOf(promising(40)), 2.88);
  t.equal(await secondsOf(promising(42)), 2.88);
  t.match(await refused(promising(60)), /promises 60 frames/);
});

t.test('what an encoder added to an mp3, as ffmpeg decodes it', async (t) => {
  const good = fixture('cbr.mp3');
  const info = good.indexOf('Info');
  const adding = (before: number, after: number) =>
    patch(good, info + 141, ...u32be(before * 4_096 + after).subarray(1));
  const frames = good.readUInt32BE(info + 8) * 576;
  const cases: Array<[number, number, number]> = [
    [0, 0, frames - 529],
    [576, 0, frames - 576 - 529],
    [576, 529, frames - 576 - 529],
    [576, 530, frames - 576 - 530],
    [4_095, 4_095, frames - 8_190],
  ];
  for (const [before, after, samples] of cases) {
    const seconds = Number((samples / 16_000).toFixed(3));
    t.equal(await secondsOf(adding(before, after)), seconds, `${before} before, ${after} behind`);
  }
});

t.test('mp3 files in a row: only the summary in the first frame counts', async (t) => {
  const good = fixture('cbr.mp3');
  const bare = fixture('cbr-bare.mp3');
  const info = good.indexOf('Info');
  const before = good.readUInt16BE(info + 141) >> 4;
  const frames = good.readUInt32BE(info + 8);
  // The first frame of the second file is lost behind its tag; what the first encoder added behind is played, too.
  const seconds = (count: number, cut: number) => Number(((count * 576 - cut) / 16_000).toFixed(3));
  t.equal(await secondsOf(Buffer.concat([good, good])), seconds(2 * frames, before + 529));
  t.equal(await secondsOf(Buffer.concat([good, bare])), seconds(frames + 85, before + 529));
  t.equal(await secondsOf(Buffer.concat([bare, good])), seconds(86 + frames, 0));
  t.match(await refused(Buffer.concat([good, good.subarray(0, -3_000)])), /cut short/);
});

t.test('a stream that begins in the middle of a frame', async (t) => {
  for (const [format, sound, frame] of [
    ['mp3', mp3(40), 72],
    ['aac', adts(40), 16],
  ] as const) {
    const facts = await inspectAudio(sound.subarray(5));
    t.match(facts, {
      format,
      durationSeconds: ((sound.length / frame - 1) * (format === 'mp3' ? 72 : 128)) / 1e3,
    });
  }
  t.match(await refused(adts(1)), /^is 0.128 s long/, 'one frame is a stream, if a short one');
});

t.test('AAC with checksums, and with several blocks in a frame', async (t) => {
  const one = adts(1);
  const repeat = (frame: Buffer, count: number) => Buffer.concat(Array.from({ length: count }, () => frame));
  t.equal(await secondsOf(repeat(patch(one, 1, 0xf0), 20)), 2.56);
  t.equal(await secondsOf(repeat(patch(one, 6, 0xff), 20)), 10.24);
  t.match(await refused(repeat(patch(one, 2, 0x7c), 20)), /not recognised/, 'a rate that does not exist');
});

t.test('[E17] tags that only their end tells of, and what else stands behind an mp3', async (t) => {
  const text = (value: string) => Buffer.from(value, 'latin1');
  const items = (size: number) => Buffer.alloc(size, 0x41);
  const footer = (size: number, flags: number) => {
    const bytes = Buffer.alloc(32);
    bytes.write('APETAGEX');
    bytes.writeUInt32LE(size + 32, 12);
    bytes.writeUInt32LE(flags, 20);
    return bytes;
  };
  const id3v1 = Buffer.concat([text('TAG'), Buffer.alloc(125)]);
  const lyrics = `LYRICSBEGIN${'la '.repeat(30_000)}`;
  const behind: Record<string, Buffer> = {
    'APEv2 with a footer alone': Buffer.concat([items(40), footer(40, 0)]),
    'APEv1 of 100 KB': Buffer.concat([items(100_000), footer(100_000, 0), id3v1]),
    'Lyrics3v2 of 90 KB': text(`${lyrics}${String(lyrics.length).padStart(6, '0')}LYRICS200`),
    Lyrics3v1: Buffer.concat([text(`LYRICSBEGIN${'la '.repeat(900)}LYRICSEND`), id3v1]),
    'ID3v1 and more of it': Buffer.concat([text('TAG+'), Buffer.alloc(223), id3v1]),
  };
  for (const [name, tag] of Object.entries(behind)) {
    t.equal(await secondsOf(Buffer.concat([mp3(40), tag])), 2.88, name);
    t.strictSame(await forgivenIn(Buffer.concat([mp3(40), tag])), [], `${name}: nothing to forgive`);
  }
  const cut = Buffer.concat([mp3(40), text('ID3\x04\0\0\0\0\x7f\x7f.....')]);
  t.strictSame(await forgivenIn(cut), ['has 11 bytes that are neither sound nor tags'], 'a tag that is cut');
  const sevens = Buffer.concat([text('ID3\x03\0\0\0\0\0\xc8'), Buffer.alloc(200), mp3(40)]);
  t.equal(await secondsOf(sevens), 2.88, 'a size of more than seven bits is no size');
  const liar = Buffer.concat([mp3(40), items(40), footer(1_000_000, 0)]);
  t.equal(await secondsOf(liar), 2.88, 'a footer that claims more than the file');
});

t.test('[E17] half a frame at the end of an mp3 is played, as ffmpeg does', async (t) => {
  const whole = mp3(40);
  for (const missing of [1, 36, 68]) {
    t.equal(await secondsOf(whole.subarray(0, -missing)), 2.88, `${missing} bytes short`);
  }
  t.strictSame(await forgivenIn(whole.subarray(0, -36)), ['ends in the middle of a frame, 36 bytes short']);
  t.equal(await secondsOf(whole.subarray(0, -69)), 2.808, 'less than a header is none');
  t.match(await refused(adts(40).subarray(0, -5)), /AAC that is cut short: its last frame lacks 5 bytes/);
});

t.test('[FMedia] files in a row with sample rates of their own, each measured by its own', async (t) => {
  // 12,000 Hz: a frame of 8 kbit/s has 48 bytes and 48 ms.
  const short = Buffer.concat(Array.from({ length: 40 }, () => patch(mp3(1), 2, 0x14).subarray(0, 48)));
  t.equal(await secondsOf(Buffer.concat([mp3(40), short])), Number((40 * 0.072 + 40 * 0.048).toFixed(3)));
  t.strictSame(await forgivenIn(Buffer.concat([mp3(40), short])), [
    'changes its sample rate from 8000 to 12000 Hz',
  ]);
});

t.test('[FMedia] text in front of a stream is passed over, and text alone is text', async (t) => {
  const head = Buffer.from('icy-name: radio\r\n'.repeat(100));
  t.equal(await secondsOf(Buffer.concat([head, mp3(40)])), 2.88);
  t.match(await refused(head), /looks like text/);
});
