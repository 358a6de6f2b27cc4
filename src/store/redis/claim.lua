--[[
  Takes one avatar, if it is still due: a new version, and due again when the lease ends. A record of a newer
  schema is put off as long, and not touched. What is no record is reported and left where it is.

  KEYS[1] record
  KEYS[2] due

  ARGV[1] id
  ARGV[2] lease in ms
  ARGV[3] highest schema this release reads

  Result: {now, v, doc}, with nil for what is missing; nil when there is nothing to take
]]
local due = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not due or tonumber(due) > now then
  return false
end
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return false
end
local record = kind == 'hash' and redis.call('HMGET', KEYS[1], 'v', 'doc') or {false, false}
local version, doc = record[1], record[2]
if not version or not string.match(version, '^%d+$') or not doc then
  return {now, version, doc}
end

redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[1])
local schema = tonumber(string.match(doc, '^(%d+) '))
if schema and schema > tonumber(ARGV[3]) then
  return false
end
return {now, tostring(redis.call('HINCRBY', KEYS[1], 'v', 1)), doc}
