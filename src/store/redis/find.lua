--[[
  Reads a record.

  KEYS[1] record
  KEYS[2] corrupt   the record, had it been set aside
  KEYS[3] queue

  ARGV[1] id

  Result: {now, v, doc, lane, how many are ahead in the queue}, with nil for what is missing or was set aside; nil when
  there is no such avatar
]]
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' and redis.call('EXISTS', KEYS[2]) == 0 then
  return false
end

local record = kind == 'hash' and redis.call('HMGET', KEYS[1], 'v', 'doc', 'lane') or {false, false, false}
return {now, record[1], record[2], record[3], redis.call('ZRANK', KEYS[3], ARGV[1])}
