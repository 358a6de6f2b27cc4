--[[
  Replaces a record that is still at the version given, and moves all that follows from it: due time, place in the
  queue, slot.

  KEYS[1] record
  KEYS[2] submission
  KEYS[3] due
  KEYS[4] changes
  KEYS[5] queue
  KEYS[6] callers
  KEYS[7] clock
  KEYS[8] bytes
  KEYS[9] lanes      set: every key that ever had a due index
  KEYS[10] feed      of its caller
  KEYS[11] list      of its caller
  KEYS[12] account   of its caller, for the month in which it was accepted
  KEYS[13] everyone
  KEYS[14...] due of its key, slots of its key (sorted set: id by when it is over), where it has one; then
             the owner of its task id, where it has one

  ARGV[1] id
  ARGV[2] version
  ARGV[3] doc
  ARGV[4] due in ms from now
  ARGV[5] 'keep' or 'drop' the submission
  ARGV[6] token of this write: the same one when it is sent again
  ARGV[7] id of its key, or ''
  ARGV[8] where it stands: 'queued', 'slot', 'lane' (a slot, and due in the index of its key) or ''
  ARGV[9] how long it holds a slot all the same, in ms
  ARGV[10] how many slots its key has, or ''
  ARGV[11] caller, where the change is told; or ''
  ARGV[12] mark of its status
  ARGV[13] its entry in lists
  ARGV[14] what it counts for: see count
  ARGV[15] which marks count: see count

  Result: 'saved', 'stale', 'task-taken' or 'no-slot'
]]
local id, keyId, standing = ARGV[1], ARGV[7], ARGV[8]
local record = redis.call('HMGET', KEYS[1], 'v', 'w', 'tag', 's')
local version = tonumber(record[1])
local expected = tonumber(ARGV[2])
if version == expected + 1 and record[2] == ARGV[6] then
  -- Written again, so that a WAIT behind it, on a new connection, waits for no less than this.
  redis.call('HSET', KEYS[1], 'w', ARGV[6])
  return 'saved'
end
if version ~= expected then
  return 'stale'
end
local dueOfKey, slots, task = nil, nil, KEYS[14]
if keyId ~= '' then
  dueOfKey, slots, task = KEYS[14], KEYS[15], KEYS[16]
end
local owner = task and redis.call('GET', task)
if owner and owner ~= id then
  return 'task-taken'
end
local holds = standing == 'slot' or standing == 'lane'
if holds and ARGV[10] ~= '' and tonumber(redis.call('ZSCORE', slots, id) or 0) <= now then
  if redis.call('ZCOUNT', slots, '(' .. now, '+inf') >= tonumber(ARGV[10]) then
    return 'no-slot'
  end
end

redis.call('HSET', KEYS[1], 'v', expected + 1, 'doc', ARGV[3], 'w', ARGV[6], 's', ARGV[12])
if task then
  redis.call('SET', task, id)
end

local due = now + ARGV[4]
if standing == 'lane' then
  redis.call('ZREM', KEYS[3], id)
  redis.call('ZADD', dueOfKey, due, id)
  redis.call('SADD', KEYS[9], keyId)
else
  redis.call('ZADD', KEYS[3], due, id)
  if dueOfKey then
    redis.call('ZREM', dueOfKey, id)
  end
end

if keyId ~= '' then
  redis.call('ZREMRANGEBYSCORE', slots, '-inf', now)
  local slotUntil = holds and '+inf' or tonumber(ARGV[9]) > 0 and now + ARGV[9]
  if slotUntil then
    redis.call('ZADD', slots, slotUntil, id)
    redis.call('HSET', KEYS[1], 'lane', keyId)
  else
    redis.call('ZREM', slots, id)
    redis.call('HDEL', KEYS[1], 'lane')
  end
end

if standing == 'queued' then
  if redis.call('ZADD', KEYS[5], 'NX', record[3] or 0, id) == 1 then
    redis.call('INCRBY', KEYS[8], sizeOf(KEYS[2]))
  end
else
  local tag = leaveQueue(KEYS[5], KEYS[8], KEYS[2], id)
  if tag and holds and tag > tonumber(redis.call('GET', KEYS[7]) or 0) then
    redis.call('SET', KEYS[7], tag)
    -- Who is a whole turn behind the clock starts at it, as one does who was never there: no step is longer.
    redis.call('ZREMRANGEBYSCORE', KEYS[6], '-inf', tag - 1)
  end
end
if ARGV[5] == 'drop' then
  if standing == 'queued' then
    redis.call('DECRBY', KEYS[8], sizeOf(KEYS[2]))
  end
  redis.call('DEL', KEYS[2])
  redis.call('HDEL', KEYS[1], 'tag')
end
local listed = record[4]
if listed ~= ARGV[12] then
  redis.call('ZADD', KEYS[11], 0, ARGV[12] .. ARGV[13])
  if listed then
    redis.call('ZREM', KEYS[11], listed .. ARGV[13])
  end
end
count(KEYS[12], ARGV[14], ARGV[15], listed, ARGV[12])
if ARGV[11] ~= '' then
  tell(KEYS[4], expected + 1, id, ARGV[11], noteChange(KEYS[10], KEYS[13], id, ARGV[11]))
end
return 'saved'
