import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import t from 'tap';
import { readSecret } from '../../src/domain/callbacks/webhook-secret.js';
import { signedHeaders } from '../../src/outbound/signature.js';

const whsec = (bytes: number) => `whsec_${randomBytes(bytes).toString('base64')}`;

t.test('the vectors of others', async (t) => {
  // The first is that of the tests of standard-webhooks ("sign function works"); the other was made with `openssl dgst -sha256 -mac HMAC`.
  const vectors = [
    [
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      'msg_p5jXN8AQM9LWM0D4loKWxJek',
      1614265330,
      '{"test": 2432232314}',
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    ],
    [
      'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
      'av_1_1800000000000',
      1800000001,
      '{"type":"avatar.succeeded","data":{"id":"av_1","prompt":"Zoë 🙂"}}',
      'v1,Ow3xv4yRHgkxBZYNCJDOjhO4LllfV0OHQcInqZl49c8=',
    ],
  ] as const;
  for (const [secret, id, seconds, body, expected] of vectors) {
    const headers = signedHeaders([readSecret(secret)], { id, at: seconds * 1000 + 999, body });
    t.strictSame(headers, {
      'webhook-id': id,
      'webhook-timestamp': String(seconds),
      'webhook-signature': expected,
    });
  }
});

t.test('the reference library takes ours, and makes the same', async (t) => {
  for (const bytes of [24, 32, 47, 64]) {
    const secret = whsec(bytes);
    const message = { id: `av_1_${bytes}`, at: Date.now(), body: JSON.stringify({ name: 'Zoë 🙂', bytes }) };
    const headers = signedHeaders([readSecret(secret)], message);
    const webhook = new Webhook(secret);
    t.equal(
      headers['webhook-signature'],
      webhook.sign(message.id, new Date(message.at), message.body),
      `${bytes} bytes`,
    );
    t.same(webhook.verify(message.body, headers), { name: 'Zoë 🙂', bytes });
    t.throws(() => webhook.verify(`${message.body} `, headers), /No matching signature/);
    t.throws(() => webhook.verify(message.body, { ...headers, 'webhook-id': 'av_2' }), /No matching/);
    t.throws(() => new Webhook(whsec(bytes)).verify(message.body, headers), /No matching signature/);
  }
  const old = signedHeaders([readSecret(whsec(24))], { id: 'a', at: Date.now() - 301_000, body: '' });
  t.throws(() => new Webhook(whsec(24)).verify('', old), /too old/);
});

t.test('two secrets while one takes over: whoever knows either can verify', async (t) => {
  const [before, after] = [whsec(32), whsec(32)];
  const body = '{"a":1}';
  const headers = signedHeaders([before, after].map(readSecret), { id: 'a', at: Date.now(), body });
  t.match(headers['webhook-signature'], /^v1,\S{44} v1,\S{44}$/);
  t.same(new Webhook(before).verify(body, headers), { a: 1 });
  t.same(new Webhook(after).verify(body, headers), { a: 1 });
  t.throws(() => new Webhook(whsec(32)).verify(body, headers), /No matching signature/);
});
