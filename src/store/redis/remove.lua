--[[
  Forgets an avatar that is still at the version given.

  KEYS[1] record
  KEYS[2] submission
  KEYS[3] due
  KEYS[4] changes
  KEYS[5] queue
  KEYS[6] bytes
  KEYS[7] doubt
  KEYS[8] feed       of its caller
  KEYS[9] list       of its caller
  KEYS[10] account   of its caller, for the month in which it was accepted
  KEYS[11...] due and slots of its key, where it has one; then what leads to it: owner of its task id, owner of its
             idempotency key, where it has them; as the record says at this version

  ARGV[1] id
  ARGV[2] version
  ARGV[3] id of its key, or ''
  ARGV[4] caller
  ARGV[5] its entry in lists
  ARGV[6] the same behind the prefix of its external id, or ''
  ARGV[7] what is taken back with it: see count
  ARGV[8] which marks count: see count

  Result: 1, or 0 when the record is at another version
]]
local record = redis.call('HMGET', KEYS[1], 'v', 's')
if tonumber(record[1]) ~= tonumber(ARGV[2]) then
  return 0
end

leaveQueue(KEYS[5], KEYS[6], KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[7], ARGV[1])
redis.call('ZREM', KEYS[8], ARGV[1])
redis.call('ZREM', KEYS[9], (record[2] or '') .. ARGV[5], ARGV[6])
local leads = 11
if ARGV[3] ~= '' then
  redis.call('ZREM', KEYS[11], ARGV[1])
  redis.call('ZREM', KEYS[12], ARGV[1])
  leads = 13
end
count(KEYS[10], ARGV[7], ARGV[8], record[2], nil)
redis.call('DEL', KEYS[1], KEYS[2], unpack(KEYS, leads))
tell(KEYS[4], 0, ARGV[1], ARGV[4], 0)
return 1
