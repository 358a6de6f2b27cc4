--[[
  Puts a new avatar, due when its creator's lease ends.

  KEYS[1] record    hash: v (version), doc (the record), w (token of its last write), task (its task id),
                    key (digest of its idempotency key)
  KEYS[2] submission
  KEYS[3] due       sorted set: id by due time, in ms
  KEYS[4] corrupt   the record, had it been set aside
  KEYS[5] key       id of the avatar that was created with the idempotency key; left out without one

  ARGV[1] id
  ARGV[2] doc
  ARGV[3] submission
  ARGV[4] lease in ms
  ARGV[5] token of this write: the same one when it is sent again
  ARGV[6] digest of the idempotency key, or ''

  Result: now, in ms; the id of the avatar that has the idempotency key; nil when the id is taken
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

if redis.call('EXISTS', KEYS[4]) == 1 then
  return false
end
if redis.call('EXISTS', KEYS[1]) == 1 then
  if redis.call('HGET', KEYS[1], 'w') ~= ARGV[5] then
    return false
  end
  -- Written again, so that a WAIT behind it, on a new connection, waits for no less than this.
  redis.call('HSET', KEYS[1], 'w', ARGV[5])
  return now
end

local owner = KEYS[5] and redis.call('GET', KEYS[5])
if owner then
  return owner
end

redis.call('SET', KEYS[2], ARGV[3])
redis.call('HSET', KEYS[1], 'v', 1, 'doc', ARGV[2], 'w', ARGV[5])
if KEYS[5] then
  redis.call('HSET', KEYS[1], 'key', ARGV[6])
  redis.call('SET', KEYS[5], ARGV[1])
end
redis.call('ZADD', KEYS[3], now + ARGV[4], ARGV[1])
return now
