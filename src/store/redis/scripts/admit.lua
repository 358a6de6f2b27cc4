--[[
  Puts a new avatar, and, where nobody waits before it and a key has a slot and a call, begins its submit. Large submissions are
  uploaded before, once it is known that the avatar can be made. The first thing written is one that a full Redis refuses.

  a.id
  a.content      of the record, as of one that is queued
  a.submission   '' where it is uploaded
  a.pieces       in which it is uploaded, under `upload:<id>`; 0 where it is not
  a.bytes        of the submission
  a.due          in ms from now, while it is queued
  a.doubt        how long its creator may not know of it, in ms
  a.maxAvatars   how many may be queued
  a.maxBytes     of all submissions that are queued
  a.step         how far it stands behind its caller's last, in turns
  a.unfinished   how many of its caller's avatars may be unfinished, itself among them, or ''
  a.date         when it is accepted, `<month>_<day>`
  a.day          how many units may have been spent on the day before it, or ''
  a.month        the same of the month
  a.begin        see readBegin; or '', where it is to be queued

  Result: {word, now, stored, key it was begun with, units spent on the day, in the month, place of the change}, with the word queued or
  begun, and `stored` where it was there before;
  {'known', now, stored, id} of the avatar that has the idempotency key; {'corrupt'} where that, or this one, is in quarantine or lost; {'upload'} where nothing but the
  submission is missing, which may now be uploaded; avatars, bytes, unfinished, day or month where a bound is reached.
]]
local bytes = tonumber(a.bytes)
local isUploaded = a.pieces ~= '0'
local upload = base .. 'upload:' .. a.id
local head, document = parse(a.content)
local wanted = a.begin ~= '' and readBegin(a.begin) or nil

-- What was uploaded for an avatar that is not made is of no use.
local function answer(...)
  if isUploaded then
    redis.call('DEL', upload)
  end
  return {...}
end

local function isFull()
  if a.unfinished ~= '' and countListed(head.caller, UNFINISHED) >= tonumber(a.unfinished) then
    return 'unfinished'
  end
  local onDay, inMonth = 0, 0
  if a.day ~= '' or a.month ~= '' then
    onDay, inMonth = spentIn(head.caller, a.date)
  end
  if a.day ~= '' and onDay > tonumber(a.day) then
    return 'day'
  end
  if a.month ~= '' and inMonth > tonumber(a.month) then
    return 'month'
  end
  if redis.call('ZCARD', base .. 'queue') + 1 > tonumber(a.maxAvatars) then
    return 'avatars'
  end
  if tonumber(redis.call('GET', base .. 'queue-bytes') or 0) + bytes > tonumber(a.maxBytes) then
    return 'bytes'
  end
  return nil
end

local there = read(a.id)
if there and there.head then
  -- Written again, so that a WAIT behind it, on whatever connection, waits for no less than this.
  write(a.id, there)
  local isBegun = wanted and there.head.mark == SUBMITTING and there.head.intent == wanted.intent
  return answer(isBegun and 'begun' or 'queued', now, there.stored, false, spentIn(head.caller, a.date))
end
if there or redis.call('EXISTS', base .. 'corrupt:' .. a.id) == 1 then
  return answer('corrupt')
end
if head.idempotency ~= '' then
  local owner = redis.call('HGET', base .. 'keys', head.idempotency)
  local known = owner and read(owner)
  if known then
    -- Written again for the same reason; taken out before, which a full Redis allows as the first of several writes.
    redis.call('HDEL', base .. 'keys', head.idempotency)
    redis.call('HSET', base .. 'keys', head.idempotency, owner)
    return answer('known', now, known.stored, owner)
  elseif owner or redis.call('EXISTS', base .. 'corrupt-key:' .. head.idempotency) == 1 then
    return answer('corrupt')
  end
end
local bound = isFull()
if bound then
  return answer(bound)
end
-- They come one behind the other, and what expires goes as a whole.
if isUploaded and (redis.call('HSTRLEN', upload, 0) == 0 or redis.call('HSTRLEN', upload, a.pieces - 1) == 0) then
  -- Made here, so that whatever is uploaded expires, should this avatar never be made.
  redis.call('HSET', upload, 'bytes', bytes)
  redis.call('PEXPIRE', upload, UPLOAD_MS)
  return {'upload'}
end

if isUploaded then
  redis.call('HSET', upload, 'bytes', bytes)
  redis.call('RENAME', upload, base .. 'submission:' .. a.id)
  redis.call('PERSIST', base .. 'submission:' .. a.id)
else
  redis.call('HSET', base .. 'submission:' .. a.id, 'bytes', bytes, 0, a.submission)
end
local record = {version = 1, head = head, document = document, content = a.content, tag = nextTag(head.caller, a.step)}
local keys = wanted and redis.call('ZCARD', base .. 'queue') == 0 and keysWithSlots(wanted) or {}
local key = nextKey(keys)
if key then
  takeKey(key)
  keepTaken(keys)
  markBegun(record, key.id, wanted.intent)
  holdSlot(a.id, key.id)
  useTurn(record, head.caller)
  setDue(a.id, '', now + wanted.leaseMs)
else
  enqueue(a.id, record)
  setDue(a.id, '', now + a.due)
  if head.idempotency == '' then
    redis.call('ZADD', base .. 'queue-doubt', now + a.doubt, a.id)
  end
end
write(a.id, record)
if head.idempotency ~= '' then
  redis.call('HSET', base .. 'keys', head.idempotency, a.id)
end
list(a.id, head)
local onDay, inMonth = count(head.caller, '', head.spend)
if not onDay then
  onDay, inMonth = spentIn(head.caller, a.date)
end
if head.spend ~= '' then
  redis.call('PEXPIRE', base .. 'spend:' .. string.match(head.spend, '^[^_]+') .. ':' .. head.caller, USE_MS)
end
redis.call('SADD', base .. 'callers', head.caller)
local place = noteChange(a.id, head.caller, 1)

-- Here alone, a few at a time: nothing else makes a feed longer, and by one.
local old = string.format('%.0f', time[1] * 1000000 + time[2] - FEED_MS * 1000)
for _, name in ipairs({'feed:' .. head.caller, 'feed'}) do
  local changes = redis.call('ZRANGE', base .. name, 0, old, 'BYSCORE', 'LIMIT', 0, 100, 'WITHSCORES')
  for i = 1, #changes, 2 do
    redis.call('ZREM', base .. name, changes[i])
    redis.call('ZADD', base .. name, -changes[i + 1], '!forgotten')
  end
end
return {key and 'begun' or 'queued', now, false, key and key.id or false, onDay, inMonth, place}
