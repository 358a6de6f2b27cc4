import { randomBytes } from 'node:crypto';
import t from 'tap';
import { parseSecrets, readSecret } from '../../src/domain/callbacks/webhook-secret.js';

const whsec = (bytes: number) => `whsec_${randomBytes(bytes).toString('base64')}`;

t.test('what is no secret, and never shown', async (t) => {
  t.equal(readSecret(whsec(24)).length, 24);
  t.equal(readSecret(whsec(64)).length, 64);
  const base64 = randomBytes(32).toString('base64');
  const bad = ['', 'whsec_', base64, `WHSEC_${base64}`, `whsec_${base64} `, `whsec_${base64.slice(0, -1)}`];
  bad.push(whsec(23), whsec(65), `whsec_${base64.slice(0, 20)}\n${base64.slice(20)}`, `whsec_-_${base64}`);
  for (const text of bad) {
    t.throws(() => readSecret(text), {
      name: 'TypeError',
      message: 'is not whsec_ and the base64 of 24 to 64 bytes',
    });
  }
  t.same(parseSecrets(''), []);
  const [one, two] = [whsec(24), whsec(64)];
  t.same(parseSecrets(`${one},${two}`), [one, two]);
  t.throws(() => parseSecrets(`${one},x`), { message: /^secret 2 of 2 is not whsec_/ });
});
