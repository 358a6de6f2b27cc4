--[[
  Changes behind a place, the oldest first.

  KEYS[1] feed

  ARGV[1] place
  ARGV[2] limit

  Result: {last place there was, place up to which changes may be missing, {id, its place, ...}}
]]
local function below(member)
  return string.format('%.0f', -tonumber(redis.call('ZSCORE', KEYS[1], member) or 0))
end

local changes = redis.call('ZRANGE', KEYS[1], '(' .. ARGV[1], '+inf', 'BYSCORE', 'LIMIT', 0, ARGV[2], 'WITHSCORES')
return {below('!last'), below('!forgotten'), changes}
