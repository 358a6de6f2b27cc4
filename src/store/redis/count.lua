--[[
  Adds to counts, in windows that begin with the first one. With no command that no other script uses: a user who may not
  use one would find all submits refused.

  KEYS     of each count, hits: hash: count, ends; gone with the window

  ARGV[1]  how long a window is, in ms
  ARGV[2]  and so on, in the order of the keys: how many are added

  Result: for each, {count, ms until the window ends}
]]
local window = tonumber(ARGV[1])
local counts = {}
for i, key in ipairs(KEYS) do
  local ends = tonumber(redis.call('HGET', key, 'ends') or 0)
  -- Also one that ends later than it can: the clock was set back.
  if ends <= now or ends > now + window then
    ends = now + window
    redis.call('HSET', key, 'count', 0, 'ends', string.format('%.0f', ends))
    redis.call('PEXPIRE', key, window)
  end
  counts[i] = {redis.call('HINCRBY', key, 'count', ARGV[i + 1]), ends - now}
end
return counts
