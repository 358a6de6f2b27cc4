import t from 'tap';
import { Wheel } from '../../src/gateway/watch/wheel.js';

t.test('never early, little late, in one go', async (t) => {
  const wheel = new Wheel();
  const begun = performance.now();
  const took = await Promise.all(
    [0, 1, 249, 250, 251, 600].map(async (ms) => {
      await new Promise<void>((resolve) => wheel.after(ms, resolve));
      return { ms, took: performance.now() - begun };
    }),
  );
  for (const each of took) t.ok(each.took >= each.ms, `${each.ms} ms: ${each.took}`);
});

t.test('what is forgotten does not come, and keeps no process', async (t) => {
  const wheel = new Wheel();
  const timers = () => process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length;
  const before = timers();
  const forget = [300, 300, 900].map((ms) => wheel.after(ms, () => t.fail('it came')));
  t.equal(timers(), before + 1, 'one timer for all');
  for (const each of [...forget, ...forget]) each();
  t.equal(timers(), before);
  await new Promise<void>((resolve) => wheel.after(400, resolve));
  t.equal(timers(), before);
});

t.test('what comes may have more to come', async (t) => {
  const wheel = new Wheel();
  await new Promise<void>((resolve) => wheel.after(1, () => wheel.after(1, resolve)));
  t.pass();
});
