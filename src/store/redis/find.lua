--[[
  Reads a record.

  KEYS[1] record
  KEYS[2] corrupt   the record, had it been set aside

  Result: {now, v, doc}, with nil for what is missing or was set aside; nil when there is no such avatar
]]
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' and redis.call('EXISTS', KEYS[2]) == 0 then
  return false
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local record = kind == 'hash' and redis.call('HMGET', KEYS[1], 'v', 'doc') or {false, false}
return {now, record[1], record[2]}
