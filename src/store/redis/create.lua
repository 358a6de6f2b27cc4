--[[
  Puts a new avatar, and, where it is queued, gives it its place: behind its caller's others, and otherwise in turn.

  KEYS[1] record    hash: v (version), doc (the record), w (token of its last write), tag (its place in the
                    queue), lane (id of its key, while it may hold something there)
  KEYS[2] submission
  KEYS[3] due       sorted set: id by due time, in ms
  KEYS[4] corrupt   the record, had it been set aside
  KEYS[5] changes   channel
  KEYS[6] queue     sorted set: id by tag
  KEYS[7] callers   sorted set: caller by the tag of its last avatar
  KEYS[8] clock     the highest tag that was submitted
  KEYS[9] bytes     of all submissions that are queued
  KEYS[10] doubt    sorted set: id by when its creation is no longer in doubt
  KEYS[11] key      id of the avatar that was created with the idempotency key; left out without one

  ARGV[1] id
  ARGV[2] doc
  ARGV[3] submission
  ARGV[4] due in ms from now
  ARGV[5] token of this write: the same one when it is sent again
  ARGV[6] caller
  ARGV[7] '1' where it is queued
  ARGV[8] how many may be queued
  ARGV[9] how many bytes may be queued
  ARGV[10] how long it is in doubt, in ms

  Result: now, in ms; the id of the avatar that has the idempotency key; {'avatars'} or {'bytes'} when the queue holds
  as many as it may; nil when the id is taken
]]
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

local owner = KEYS[11] and redis.call('GET', KEYS[11])
if owner then
  return owner
end

if ARGV[7] == '1' then
  if redis.call('ZCARD', KEYS[6]) + 1 > tonumber(ARGV[8]) then
    return {'avatars'}
  end
  if tonumber(redis.call('GET', KEYS[9]) or 0) + #ARGV[3] > tonumber(ARGV[9]) then
    return {'bytes'}
  end
  local last = tonumber(redis.call('ZSCORE', KEYS[7], ARGV[6]) or 0)
  local tag = math.max(tonumber(redis.call('GET', KEYS[8]) or 0), last + 1)
  redis.call('ZADD', KEYS[6], tag, ARGV[1])
  redis.call('ZADD', KEYS[7], tag, ARGV[6])
  redis.call('INCRBY', KEYS[9], #ARGV[3])
  redis.call('HSET', KEYS[1], 'tag', tag)
  if not KEYS[11] then
    redis.call('ZADD', KEYS[10], now + ARGV[10], ARGV[1])
  end
end
redis.call('SET', KEYS[2], ARGV[3])
redis.call('HSET', KEYS[1], 'v', 1, 'doc', ARGV[2], 'w', ARGV[5])
if KEYS[11] then
  redis.call('SET', KEYS[11], ARGV[1])
end
redis.call('ZADD', KEYS[3], now + ARGV[4], ARGV[1])
tell(KEYS[5], ARGV[1])
return now
