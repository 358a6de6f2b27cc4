--[[
  The ids of those that are first in the queue, without those whose creation is in doubt.

  KEYS[1] queue
  KEYS[2] doubt

  ARGV[1] limit
  ARGV[2] how far to look

  Result: {id, ...}
]]
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
local ids = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, ARGV[2] - 1)) do
  if #ids == tonumber(ARGV[1]) then
    break
  end
  if not redis.call('ZSCORE', KEYS[2], id) then
    ids[#ids + 1] = id
  end
end
return ids
