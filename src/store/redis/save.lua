--[[
  Replaces a record that is still at the version given, and moves its due time.

  KEYS[1] record
  KEYS[2] submission
  KEYS[3] due
  KEYS[4] task       owner of the record's task id; left out when it has none

  ARGV[1] id
  ARGV[2] version
  ARGV[3] doc
  ARGV[4] due in ms from now
  ARGV[5] 'keep' or 'drop' the submission
  ARGV[6] task id, or ''
  ARGV[7] token of this write: the same one when it is sent again

  Result: 'saved', 'stale' or 'task-taken'
]]
local record = redis.call('HMGET', KEYS[1], 'v', 'w')
local version = tonumber(record[1])
local expected = tonumber(ARGV[2])
if version == expected + 1 and record[2] == ARGV[7] then
  -- Written again, so that a WAIT behind it, on a new connection, waits for no less than this.
  redis.call('HSET', KEYS[1], 'w', ARGV[7])
  return 'saved'
end
if version ~= expected then
  return 'stale'
end
local owner = KEYS[4] and redis.call('GET', KEYS[4])
if owner and owner ~= ARGV[1] then
  return 'task-taken'
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'v', expected + 1, 'doc', ARGV[3], 'w', ARGV[7])
redis.call('ZADD', KEYS[3], now + ARGV[4], ARGV[1])
if KEYS[4] then
  redis.call('HSET', KEYS[1], 'task', ARGV[6])
  redis.call('SET', KEYS[4], ARGV[1])
end
if ARGV[5] == 'drop' then
  redis.call('DEL', KEYS[2])
end
return 'saved'
