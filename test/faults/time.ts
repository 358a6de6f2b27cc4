/** Time that passes where a test says so, as far as the store can tell. */

import type { Test } from 'tap';
import { idWord } from '../../src/store/redis/ids.js';
import { clientOf } from '../store/fixtures-redis.js';

export interface Time {
  /** Has the lease of an avatar end now; on the embedded store, every lease. */
  lapse(id: string): Promise<void>;
  /** Has so much time pass at once. What is under way then has its lease lapse, if it is that long. */
  pass(ms: number): Promise<void>;
}

export function timeOf(t: Test, redis: { readonly url: string; readonly prefix: string } | undefined): Time {
  return redis === undefined ? aheadOf(t) : behind(t, redis);
}

/** The clock of the embedded store is that of the process: it is put ahead. */
function aheadOf(t: Test): Time {
  const { now } = Date;
  let aheadMs = 0;
  Object.assign(Date, { now: () => now() + aheadMs });
  t.teardown(() => Object.assign(Date, { now }));
  const pass = async (ms: number) => {
    aheadMs += ms;
  };
  return { lapse: () => pass(30_000), pass };
}

/**
 * Redis goes by its own clock, which nobody can set: every time that is stored there is put back instead, and who
 * holds what was stored before finds it changed.
 */
const PUT_BACK = `
local by = tonumber(ARGV[1])
local function early(text)
  return (string.gsub(text, ':(1%d%d%d%d%d%d%d%d%d%d%d%d)([.,}])', function(at, rest)
    return ':' .. string.format('%d', at - by) .. rest
  end))
end
for _, key in ipairs(redis.call('KEYS', KEYS[1] .. ':*')) do
  local part = string.match(key, '}:([^:]+)')
  if part == 'due' or part == 'slots' or part == 'queue-doubt' then
    local members = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
    for i = 1, #members, 2 do
      if members[i + 1] ~= 'inf' then
        redis.call('ZADD', key, members[i + 1] - by, members[i])
      end
    end
  elseif part == 'doc' then
    redis.call('HSET', key, 'value', early(redis.call('HGET', key, 'value')))
    redis.call('HINCRBY', key, 'rev', 1)
  elseif part == 'avatar' then
    local version, rest = string.match(redis.call('GET', key), '^(%d+)(.*)$')
    redis.call('SET', key, string.format('%.0f', version + 1) .. early(rest))
  end
end
redis.call('PUBLISH', KEYS[1] .. ':changes', 'time')
`;

/** One by one, so that an avatar is where it is looked for: in the common index, or in that of a key. */
const DUE_NOW = `
for _, key in ipairs(redis.call('KEYS', KEYS[1] .. ':due*')) do
  redis.call('ZADD', key, 'XX', 0, ARGV[1])
end
`;

function behind(t: Test, { url, prefix }: { readonly url: string; readonly prefix: string }): Time {
  const client = clientOf(t, url);
  const run = async (script: string, argument: string | number) =>
    void (await client.eval(script, 1, `{${prefix}}`, argument));
  return { lapse: (id) => run(DUE_NOW, idWord(id)), pass: (ms) => run(PUT_BACK, ms) };
}
