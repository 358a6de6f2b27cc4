--[[
  Reads a record. What is another caller's is as what is not there, and takes the same commands.

  KEYS[1] record
  KEYS[2] corrupt   the record, had it been set aside
  KEYS[3] queue

  ARGV[1] id
  ARGV[2] digest of the caller who looks for it, or '' where it may be anyone's

  Result: {now, v, doc, lane, how many are ahead in the queue}, with nil for what is missing or was set aside; nil when
  there is no such avatar. One that does not say whose it is, as earlier releases wrote them, is given out.
]]
local function callerIn(key)
  local caller = redis.pcall('HGET', key, 'c')
  return type(caller) == 'string' and caller
end

local kind = redis.call('TYPE', KEYS[1]).ok
local isAside = redis.call('EXISTS', KEYS[2]) == 1
local caller, before = callerIn(KEYS[1]), callerIn(KEYS[2])
local isAnothers = ARGV[2] ~= '' and (caller or before or ARGV[2]) ~= ARGV[2]
if isAnothers or kind == 'none' and not isAside then
  return false
end

local record = kind == 'hash' and redis.call('HMGET', KEYS[1], 'v', 'doc', 'lane') or {false, false, false}
return {now, record[1], record[2], record[3], redis.call('ZRANK', KEYS[3], ARGV[1])}
