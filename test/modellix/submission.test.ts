/** What is stored until it is sent, and how it is sent. */

import fc from 'fast-check';
import t from 'tap';
import { bodyOf, packSubmission, type Submission, unpackSubmission } from '../../src/modellix/submission.js';

const sent = (submission: Submission) => Buffer.concat([...bodyOf(submission).chunks()]);

const media = fc.oneof(
  fc.webUrl().map((url) => ({ url })),
  // Around the size of a slice as well.
  fc
    .tuple(fc.uint8Array({ maxLength: 10 }), fc.constantFrom(0, 3, 49_151, 49_152, 98_304))
    .map(([bytes, more]) => ({ bytes: Buffer.concat([Buffer.from(bytes), Buffer.alloc(more, 7)]) })),
);
const anyMedia = fc.oneof(
  media,
  fc
    .uint8Array({ maxLength: 10 })
    .map((bytes) => ({ base64: Buffer.from(Buffer.from(bytes).toString('base64')) })),
);
const submissions: fc.Arbitrary<Submission> = fc.record({
  image: anyMedia,
  audio: fc.oneof(
    fc.string().map((audioId) => ({ audioId })),
    anyMedia.map((soundFile) => ({ soundFile })),
  ),
  prompt: fc.option(fc.string({ unit: 'grapheme' })),
  mode: fc.constantFrom('std' as const, 'pro' as const),
});

t.test('the body of a submit is exactly what the reference page asks for', async (t) => {
  const url = 'https://a.example/x.png?q="\\\n1';
  const prompt = 'wave "hello" \u2028 \ud83d\ude00';
  const soundFile = { bytes: Buffer.from('ID3\xcf\xff', 'latin1') };
  t.strictSame(JSON.parse(sent({ image: { url }, audio: { soundFile }, prompt, mode: 'pro' }).toString()), {
    image: url,
    sound_file: 'SUQzz/8=',
    prompt,
    mode: 'pro',
  });
  const least = { image: { bytes: Buffer.from('hi') }, audio: { audioId: 'a"1' }, prompt: null } as const;
  t.equal(sent({ ...least, mode: 'std' }).toString(), '{"image":"aGk=","audio_id":"a\\"1","mode":"std"}');
});

t.test('property: a body is as long as it says, and says what was asked for', async (t) => {
  const text = (given: Submission['image']) => {
    if ('url' in given) return given.url;
    return 'bytes' in given ? given.bytes.toString('base64') : given.base64.toString();
  };
  fc.assert(
    fc.property(submissions, (submission) => {
      const body = sent(submission);
      const { image, audio, prompt, mode } = submission;
      t.equal(body.length, bodyOf(submission).bytes);
      t.strictSame(JSON.parse(body.toString()), {
        image: text(image),
        ...('audioId' in audio ? { audio_id: audio.audioId } : { sound_file: text(audio.soundFile) }),
        ...(prompt === null ? {} : { prompt }),
        mode,
      });
    }),
  );
});

t.test('property: what was packed is unpacked', async (t) => {
  fc.assert(
    fc.property(submissions, (submission) => {
      const packed = Buffer.concat(packSubmission(submission));
      t.ok(sent(unpackSubmission(packed)).equals(sent(submission)));
    }),
  );
});

t.test('what is cut, or longer than it says, is not unpacked', async (t) => {
  const packed = Buffer.concat(
    packSubmission({
      image: { bytes: Buffer.from('image') },
      audio: { soundFile: { bytes: Buffer.from('sound') } },
      prompt: null,
      mode: 'std',
    }),
  );
  for (const bytes of [
    packed.subarray(0, -1),
    Buffer.concat([packed, packed]),
    Buffer.from('{}'),
    Buffer.alloc(0),
  ]) {
    t.throws(() => unpackSubmission(bytes), TypeError);
  }
});
