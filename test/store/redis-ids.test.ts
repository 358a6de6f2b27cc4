import fc from 'fast-check';
import t from 'tap';
import { idIn, idWord } from '../../src/store/redis/ids.js';

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });

t.test('an id comes back from its word, in the same order, and no two have one word', async (t) => {
  t.equal(idWord('av_0123456789abcdef0123456789abcdef').length, 22);
  t.equal(idWord(`av_${'0'.repeat(32)}`), '-'.repeat(22));
  const id = hex(32).map((digits) => `av_${digits}`);
  fc.assert(
    fc.property(id, id, (one, other) => {
      t.equal(idIn(Buffer.from(idWord(one))), one);
      t.equal(idWord(one) < idWord(other), one < other);
    }),
  );
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ minLength: 22, maxLength: 22 }), id.map(idWord)), (any) => {
      t.equal(idIn(idWord(any)), any);
    }),
  );
});
