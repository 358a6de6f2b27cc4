--[[
  Adds to counts, in windows that begin with the first one. With no command that no other script uses: a user who may not
  use one would find all submits refused.

  hits:<name>    hash: count, ends; gone with the window

  a.window    how long one is, in ms
  a.added     JSON: [[name, how many are added], ...]

  Result: for each, {count, ms until the window ends}
]]
local window = tonumber(a.window)
local counts = {}
for i, each in ipairs(cjson.decode(a.added)) do
  local key = base .. 'hits:' .. each[1]
  local ends = tonumber(redis.call('HGET', key, 'ends') or 0)
  -- Also one that ends later than it can: the clock was set back.
  if ends <= now or ends > now + window then
    ends = now + window
    redis.call('HSET', key, 'count', 0, 'ends', string.format('%.0f', ends))
    redis.call('PEXPIRE', key, window)
  end
  counts[i] = {redis.call('HINCRBY', key, 'count', each[2]), ends - now}
end
return counts
