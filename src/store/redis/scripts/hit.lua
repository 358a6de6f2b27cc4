--[[
  Counts one more in a window that begins with the first one. With no command that no other script uses: a user who may
  not use one would find all submits refused.

  KEYS[1] hits    hash: count, ends; gone with the window

  ARGV[1] how long a window is, in ms

  Result: {count, ms until the window ends}
]]
local window = tonumber(ARGV[1])
local ends = tonumber(redis.call('HGET', KEYS[1], 'ends') or 0)
-- Also one that ends later than it can: the clock was set back.
if ends <= now or ends > now + window then
  ends = now + window
  redis.call('HSET', KEYS[1], 'count', 0, 'ends', string.format('%.0f', ends))
  redis.call('PEXPIRE', KEYS[1], window)
end
return {redis.call('HINCRBY', KEYS[1], 'count', 1), ends - now}
