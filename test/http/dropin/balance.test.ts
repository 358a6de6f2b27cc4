/** What a caller may still spend: of its caps, or else of the account at Modellix. */

import t from 'tap';
import { ApiKey } from '../../../src/modellix/api-key.js';
import { clientFor } from '../../modellix/support.js';
import { startApp } from '../../support/app.js';
import { callersFile, keyOf } from '../../support/callers.js';
import { URLS } from '../../support/requests.js';
import { dataOf, refused, submitTask } from './support.js';

t.test('[R05] what is left of the tighter cap, and without caps what Modellix says', async (t) => {
  const { file, as } = await callersFile(t, {
    daily: { usd_per_day: 20, usd_per_month: 500 },
    monthly: { usd_per_month: 30 },
    spent: { usd_per_day: 0.01 },
    free: {},
  });
  const app = await startApp(t, { callers: { kind: 'file', file } });
  const { simulator } = app;
  const ask = (name: string) => fetch(`${app.url}/api/v1/team/balance`, { headers: as(name) });
  const balanceOf = async (name: string) => Number((await dataOf(t, await ask(name))).balance);
  t.equal(await balanceOf('daily'), 20);
  t.equal(await balanceOf('monthly'), 30);
  t.equal(await balanceOf('spent'), 0.01);
  t.equal(simulator.calls('account').length, 0, 'Modellix is not asked for what it does not know');

  const headers: Record<string, string> = { ...as('daily') };
  await dataOf(t, await submitTask(app.url, URLS, { headers }));
  const usage = await (await fetch(`${app.url}/usage`, { headers })).json();
  const { left_usd } = (usage as { caps: { day: { left_usd: number } } }).caps.day;
  t.ok(left_usd < 20);
  t.equal(await balanceOf('daily'), left_usd, 'as usage says');

  simulator.configure({ teams: { team: { balance: 12.34 } } });
  const all = await Promise.all(Array.from({ length: 5 }, () => balanceOf('free')));
  t.same(all, [12.34, 12.34, 12.34, 12.34, 12.34]);
  t.equal(simulator.calls('account').length, 1, 'asked once');

  const outer = clientFor(t, app.url);
  t.equal(await outer.balance(new ApiKey(keyOf('monthly'))), 30, 'a gateway before this one reads it');
  t.equal(await outer.balance(new ApiKey('unknown')), null);
  t.equal((await fetch(`${app.url}/api/v1/team/balance`)).status, 401);
});

t.test('[R05] a Modellix that does not say, without callers', async (t) => {
  const answers: object[] = [{ status: 500 }, { status: 200, body: '{}' }, { reset: 'head' }];
  for (const fault of answers) {
    const { url, simulator } = await startApp(t);
    simulator.inject({ on: 'account', do: fault });
    const get = () => fetch(`${url}/api/v1/team/balance`);
    t.match(await refused(t, await get(), 503, JSON.stringify(fault)), /^Service unavailable: Modellix /);
    await refused(t, await get(), 503, 'nor is it asked again and again');
    t.equal(simulator.calls('account').length, 1);
  }
});
