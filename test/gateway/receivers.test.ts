import { mock } from 'node:test';
import t, { type Test } from 'tap';
import { type Grant, OriginGate, TURN_MS, type Turn } from '../../src/gateway/origin-gate.js';

const DEAD = 'https://dead.test';
const FINE = 'https://fine.test';

/** OriginGate at a time that stands still until it is put forward; the timers of turns run by it. */
function standing(t: Test, random = 0) {
  let now = Math.round(performance.now());
  t.intercept(performance, 'now', { value: () => now, configurable: true });
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const stop = new AbortController();
  const pass = (ms: number) => {
    now += ms;
    mock.timers.tick(ms);
  };
  return { receivers: new OriginGate(() => random, stop.signal), pass, stop };
}

const isTurn = (grant: Grant): grant is Turn => grant !== null && 'done' in grant;

async function turn(receivers: OriginGate, origin: string): Promise<Turn> {
  const grant = await receivers.turn(origin);
  if (!isTurn(grant)) throw new Error(`${origin} has no turn: ${JSON.stringify(grant)}`);
  return grant;
}

function turns(receivers: OriginGate, origin: string, count: number): Promise<Turn[]> {
  return Promise.all(Array.from({ length: count }, () => turn(receivers, origin)));
}

async function putOff(grant: Grant | Promise<Grant>): Promise<number> {
  const given = await grant;
  if (given === null || isTurn(given)) throw new Error('it is not put off');
  return given.putOffMs;
}

/** Has so many tries in a row fail. */
async function fail(receivers: OriginGate, origin: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) (await turn(receivers, origin)).done(false);
}

t.test('eight at once to one receiver, and the others are not held up', async (t) => {
  const { receivers, pass } = standing(t);
  const taken = await turns(receivers, DEAD, 8);
  const ninth = Promise.resolve(receivers.turn(DEAD));
  await turns(receivers, FINE, 8);
  taken[3]?.done(true);
  t.ok(isTurn(await ninth), 'whoever waits is next');
  const late = receivers.turn(DEAD);
  pass(TURN_MS);
  t.ok((await putOff(late)) >= 250, 'and no longer than so');
});

t.test('turns go to those that came first', async (t) => {
  const { receivers } = standing(t);
  const taken = await turns(receivers, DEAD, 8);
  const order: number[] = [];
  for (let i = 0; i < 4; i++) void Promise.resolve(receivers.turn(DEAD)).then(() => order.push(i));
  for (const each of taken.slice(0, 4)) each.done(true);
  await new Promise(setImmediate);
  t.same(order, [0, 1, 2, 3]);
});

t.test('128 at once to all', async (t) => {
  const { receivers } = standing(t);
  const taken = await Promise.all(
    Array.from({ length: 128 }, (_, i) => turn(receivers, `https://${i % 16}.test`)),
  );
  const more = Promise.resolve(receivers.turn(FINE));
  const first = await Promise.race([more, new Promise((resolve) => setImmediate(resolve, 'waits'))]);
  t.equal(first, 'waits');
  taken[0]?.done(true);
  t.ok(isTurn(await more));
});

t.test('what finds no place to wait comes back one behind the other', async (t) => {
  const { receivers } = standing(t);
  await turns(receivers, DEAD, 8);
  const waiting = Array.from({ length: 32 }, () => receivers.turn(DEAD));
  t.equal(waiting.length, 32);
  const comes = [];
  for (let i = 0; i < 1000; i++) comes.push(await putOff(receivers.turn(DEAD)));
  t.same(
    comes,
    [...comes].sort((a, b) => a - b),
  );
  t.ok((comes[0] ?? 0) > 2000, 'behind those that wait');
  t.ok((comes[999] ?? 0) > 60_000, 'a thousand, by half a second and eight at once, take a minute');
  for (let i = 0; i < 10_000; i++) await putOff(receivers.turn(DEAD));
  t.ok((await putOff(receivers.turn(DEAD))) <= 300_000, 'none later than in five minutes');
  t.ok(isTurn(await receivers.turn(FINE)));
});

t.test('five failures in a row, and a receiver is left alone, longer each time', async (t) => {
  const { receivers, pass } = standing(t);
  await fail(receivers, DEAD, 4);
  (await turn(receivers, DEAD)).done(true);
  await fail(receivers, DEAD, 4);
  t.ok(isTurn(await receivers.turn(DEAD)), 'not in a row');
  (await turn(receivers, DEAD)).done(null);
  (await turn(receivers, DEAD)).done(false);
  const rests: number[] = [];
  for (let i = 0; i < 9; i++) {
    const restMs = await putOff(receivers.turn(DEAD));
    rests.push(restMs);
    pass(restMs - 1);
    t.equal(await putOff(receivers.turn(DEAD)), 5_000);
    pass(1);
    const probe = await turn(receivers, DEAD);
    t.equal(await putOff(receivers.turn(DEAD)), 5_000, 'one finds out for all');
    probe.done(false);
  }
  t.same(rests, [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]);
  pass(300_000);
  (await turn(receivers, DEAD)).done(true);
  await turns(receivers, DEAD, 7);
  t.pass('it is back, for all of them');
  t.ok(isTurn(await receivers.turn(FINE)));
});

t.test('what fails together counts once', async (t) => {
  const { receivers, pass } = standing(t);
  const taken = await turns(receivers, DEAD, 8);
  const waiting = Array.from({ length: 20 }, () => receivers.turn(DEAD));
  for (const each of taken.slice(0, 5)) each.done(false);
  const restMs = await putOff(receivers.turn(DEAD));
  t.equal(restMs, 5_000);
  for (const each of taken.slice(5)) each.done(false);
  t.equal(await putOff(receivers.turn(DEAD)), 5_000, 'the rest is no longer for it');
  const left = (await Promise.all(waiting)).filter((grant) => !isTurn(grant));
  t.ok(left.length >= 15, 'whoever waited is put off with the others');
  pass(5_000);
  const probe = await turn(receivers, DEAD);
  probe.done(true);
  t.ok(isTurn(await receivers.turn(DEAD)));
});

t.test('jitter spreads what is put off', async (t) => {
  const { receivers } = standing(t, 0.999);
  await fail(receivers, DEAD, 5);
  const putOffMs = await putOff(receivers.turn(DEAD));
  t.ok(putOffMs > 6_000 && putOffMs <= 6_250, String(putOffMs));
});

t.test('at a stop nobody waits', async (t) => {
  const { receivers, stop } = standing(t);
  const taken = await turns(receivers, DEAD, 8);
  const waiting = receivers.turn(DEAD);
  stop.abort();
  t.equal(await waiting, null);
  t.equal(receivers.turn(FINE), null);
  for (const each of taken) each.done(null);
});

t.test('what is known is bounded', async (t) => {
  const { receivers } = standing(t);
  const busy = await turn(receivers, 'https://busy.test');
  await fail(receivers, DEAD, 5);
  for (let i = 0; i < 2_000; i++) (await turn(receivers, `https://${i}.test`)).done(true);
  t.ok(isTurn(await receivers.turn(DEAD)), 'the one that was used longest ago is forgotten');
  busy.done(false);
  await fail(receivers, 'https://busy.test', 4);
  t.equal(await putOff(receivers.turn('https://busy.test')), 5_000, 'one that is at work is not');
});
