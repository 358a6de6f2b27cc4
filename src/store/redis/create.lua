--[[
  Puts a new avatar, and, where it is queued, gives it its place: behind its caller's others, and otherwise in turn.

  KEYS[1] record    hash: v (version), doc (the record), w (token of its last write), s (mark of the status that it is
                    listed by), tag (its place in the queue), lane (id of its key, while it may hold something there),
                    c (digest of its caller; of records of earlier releases, what they say themselves counts)
  KEYS[2] submission
                    hash: bytes (how many), and the pieces, from 0
  KEYS[3] due       sorted set: id by due time, in ms
  KEYS[4] corrupt   the record, had it been set aside
  KEYS[5] changes   channel
  KEYS[6] queue     sorted set: id by tag
  KEYS[7] callers   sorted set: caller by the tag of its last avatar
  KEYS[8] clock     the highest tag that was submitted
  KEYS[9] bytes     of all submissions that are queued
  KEYS[10] doubt    sorted set: id by when its creation is no longer in doubt
  KEYS[11] upload   the pieces of a submission that is no argument
  KEYS[12] list     of its caller: sorted set, all with score 0: mark and entry; prefix and entry
  KEYS[13] feed     sorted set: id by the place of its last change; see noteChange
  KEYS[14] account  of its caller, for the month in which it was accepted: hash; see count
  KEYS[15] everyone sorted set: caller by the place of the last change of its avatars
  KEYS[16] key      id of the avatar that was created with the idempotency key; left out without one

  ARGV[1] id
  ARGV[2] doc
  ARGV[3] submission, or '' where it is to be uploaded
  ARGV[4] due in ms from now
  ARGV[5] token of this write: the same one when it is sent again
  ARGV[6] caller
  ARGV[7] '1' where it is queued
  ARGV[8] how many may be queued
  ARGV[9] how many bytes may be queued
  ARGV[10] how long it is in doubt, in ms
  ARGV[11] how many bytes the submission has
  ARGV[12] how long an upload is kept, in ms
  ARGV[13] mark of its status
  ARGV[14] its entry in lists
  ARGV[15] the same behind the prefix of its external id, or ''
  ARGV[16] how long changes are known, in ms
  ARGV[17] how far it stands behind its caller's last, in turns
  ARGV[18] how many of its caller's avatars may be unfinished, itself among them, or ''
  ARGV[19] marks of those that are unfinished
  ARGV[20] what it counts for: see count
  ARGV[21] which marks count: see count
  ARGV[22] day on which it was accepted
  ARGV[23] how many units may have been spent on the day before it, or ''
  ARGV[24] how many units may have been spent in the month before it, or ''
  ARGV[25] how long what was spent is known, in ms
  ARGV[26] digest of its caller

  Result: {now, in ms, units spent on the day, in the month}; the id of the avatar that has the idempotency key;
  {'avatars'} or {'bytes'} when the queue holds as many as it may; {'unfinished'}, {'day'} or {'month'} when its caller is
  at a limit of its own; nil when the id is taken; {'upload'} when nothing but the submission is missing, which may now
  be uploaded
]]
local bytes = tonumber(ARGV[11])
local isUploaded = #ARGV[3] ~= bytes

-- What was uploaded for an avatar that is not created is of no use.
local function refuse(result)
  if isUploaded then
    redis.call('DEL', KEYS[11])
  end
  return result
end

local function uploadedBytes()
  local sum, piece = 0, 0
  repeat
    local length = redis.call('HSTRLEN', KEYS[11], piece)
    sum, piece = sum + length, piece + 1
  until length == 0
  return sum
end

local function unfinished()
  local sum = 0
  for mark in string.gmatch(ARGV[19], '.') do
    sum = sum + redis.call('ZLEXCOUNT', KEYS[12], '[' .. mark, '(' .. mark .. '~')
  end
  return sum
end

if redis.call('EXISTS', KEYS[4]) == 1 then
  return refuse(false)
end
if redis.call('EXISTS', KEYS[1]) == 1 then
  if redis.call('HGET', KEYS[1], 'w') ~= ARGV[5] then
    return refuse(false)
  end
  -- Written again, so that a WAIT behind it, on a new connection, waits for no less than this.
  redis.call('HSET', KEYS[1], 'w', ARGV[5])
  return {now, spentIn(KEYS[14], ARGV[22])}
end
local owner = KEYS[16] and redis.call('GET', KEYS[16])
if owner then
  return refuse(owner)
end
if ARGV[18] ~= '' and unfinished() >= tonumber(ARGV[18]) then
  return refuse({'unfinished'})
end
local onDay, inMonth = spentIn(KEYS[14], ARGV[22])
if ARGV[23] ~= '' and onDay > tonumber(ARGV[23]) then
  return refuse({'day'})
end
if ARGV[24] ~= '' and inMonth > tonumber(ARGV[24]) then
  return refuse({'month'})
end
local queued = ARGV[7] == '1'
if queued then
  if redis.call('ZCARD', KEYS[6]) + 1 > tonumber(ARGV[8]) then
    return refuse({'avatars'})
  end
  if tonumber(redis.call('GET', KEYS[9]) or 0) + bytes > tonumber(ARGV[9]) then
    return refuse({'bytes'})
  end
end
if isUploaded and uploadedBytes() ~= bytes then
  -- Made here, so that whatever is uploaded expires, should this avatar never be created.
  redis.call('HSET', KEYS[11], 'bytes', bytes)
  redis.call('PEXPIRE', KEYS[11], ARGV[12])
  return {'upload'}
end

if isUploaded then
  redis.call('HSET', KEYS[11], 'bytes', bytes) -- Before the rest, since a full Redis refuses this and not the next.
  redis.call('RENAME', KEYS[11], KEYS[2])
  redis.call('PERSIST', KEYS[2])
else
  redis.call('HSET', KEYS[2], 'bytes', bytes, 0, ARGV[3])
end
if queued then
  local last = tonumber(redis.call('ZSCORE', KEYS[7], ARGV[6]) or 0)
  local tag = math.max(tonumber(redis.call('GET', KEYS[8]) or 0), last + ARGV[17])
  redis.call('ZADD', KEYS[6], tag, ARGV[1])
  redis.call('ZADD', KEYS[7], tag, ARGV[6])
  redis.call('INCRBY', KEYS[9], bytes)
  redis.call('HSET', KEYS[1], 'tag', tag)
  if not KEYS[16] then
    redis.call('ZADD', KEYS[10], now + ARGV[10], ARGV[1])
  end
end
redis.call('HSET', KEYS[1], 'v', 1, 'doc', ARGV[2], 'w', ARGV[5], 's', ARGV[13], 'c', ARGV[26])
if KEYS[16] then
  redis.call('SET', KEYS[16], ARGV[1])
end
redis.call('ZADD', KEYS[3], now + ARGV[4], ARGV[1])
redis.call('ZADD', KEYS[12], 0, ARGV[13] .. ARGV[14])
count(KEYS[14], ARGV[20], ARGV[21], nil, ARGV[13])
if ARGV[20] ~= '' then
  redis.call('PEXPIRE', KEYS[14], ARGV[25])
end
if ARGV[15] ~= '' then
  redis.call('ZADD', KEYS[12], 0, ARGV[15])
end
local at = noteChange(KEYS[13], KEYS[15], ARGV[1], ARGV[6])
-- Here alone: nothing else makes a feed longer.
local old = time[1] * 1000000 + time[2] - ARGV[16] * 1000
if redis.call('ZREMRANGEBYSCORE', KEYS[13], 0, old) > 0 then
  redis.call('ZADD', KEYS[13], -old, '!forgotten')
end
tell(KEYS[5], 1, ARGV[1], ARGV[6], at)
return {now, spentIn(KEYS[14], ARGV[22])}
