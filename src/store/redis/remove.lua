--[[
  Forgets an avatar that is still at the version given.

  KEYS[1] record
  KEYS[2] submission
  KEYS[3] due
  KEYS[4...] what leads to it: owner of its task id, owner of its idempotency key; as read before, where it has them

  ARGV[1] id
  ARGV[2] version
  ARGV[3] task id, or ''
  ARGV[4] digest of its idempotency key, or ''

  Result: 1, or 0 when the record is at another version or something else leads to it
]]
local record = redis.call('HMGET', KEYS[1], 'v', 'task', 'key')
if
  tonumber(record[1]) ~= tonumber(ARGV[2])
  or (record[2] or '') ~= ARGV[3]
  or (record[3] or '') ~= ARGV[4]
then
  return 0
end

redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('DEL', KEYS[1], KEYS[2], unpack(KEYS, 4))
return 1
