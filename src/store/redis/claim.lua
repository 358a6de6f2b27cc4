--[[
  Takes one avatar, if it is still due: a new version, and due again when the lease ends. A record of a newer
  schema is put off as long, and not touched. What is no record is reported and left where it is.

  KEYS[1] record
  KEYS[2] due

  ARGV[1] id
  ARGV[2] lease in ms
  ARGV[3] highest schema this release reads

  Result: {now, v, doc, lane}, with nil for what is missing; nil when there is nothing to take
]]
local due = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not due or tonumber(due) > now then
  return false
end
local hash = redis.call('TYPE', KEYS[1]).ok == 'hash'
local record = hash and redis.call('HMGET', KEYS[1], 'v', 'doc', 'lane') or {false, false, false}
local version, doc, lane = record[1], record[2], record[3]
if not version or not string.match(version, '^%d+$') or not doc then
  return {now, version, doc, lane}
end

redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[1])
local schema = tonumber(string.match(doc, '^(%d+) '))
if schema and schema > tonumber(ARGV[3]) then
  return false
end
return {now, tostring(redis.call('HINCRBY', KEYS[1], 'v', 1)), doc, lane}
