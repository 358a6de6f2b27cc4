--[[
  Replaces a record that is still at the version given, and moves all that follows from it: due time, place in the queue, slot,
  lists, spend.

  a.id
  a.version
  a.content   head and document
  a.due       in ms from now
  a.drop      '1' where the submission is no longer needed
  a.slotFor   how long it holds its slot, in ms; '' where its status says so
  a.silent    '1' where callers see nothing of it
  a.spend     what it counts for now, see count

  Result: {word, place of the change}, with the word saved, stale or task-taken
]]
local expected = tonumber(a.version)
local record = read(a.id)
if not record or not record.head then
  return {'stale'}
end
if record.version == expected + 1 and not record.isClaimed and record.content == a.content then
  -- Written again, so that a WAIT behind it, on whatever connection, waits for no less than this.
  write(a.id, record)
  return {'saved'}
end
if record.version ~= expected then
  return {'stale'}
end
local before = record.head
local after, document = parse(a.content)
if after.task ~= '' and after.task ~= before.task and redis.call('SADD', base .. 'tasks', after.task) == 0 then
  return {'task-taken'}
end

local hasLeft = after.mark ~= QUEUED and leaveQueue(a.id, after.caller)
if a.drop == '1' then
  if after.mark == QUEUED then
    redis.call('DECRBY', base .. 'queue-bytes', sizeOf(a.id))
  end
  redis.call('DEL', base .. 'submission:' .. a.id)
end

local index = dueIndexOf(after)
if dueIndexOf(before) ~= index then
  clearDue(a.id, dueIndexOf(before))
end
setDue(a.id, index, now + a.due)

if before.key ~= '' and before.key ~= after.key then
  redis.call('ZREM', base .. 'slots:' .. before.key, a.id)
end
if after.key ~= '' then
  local slots = base .. 'slots:' .. after.key
  local holds = has(HOLDS, after.mark) and '+inf'
  local slotUntil = a.slotFor == '' and holds or tonumber(a.slotFor) and tonumber(a.slotFor) > 0 and now + a.slotFor
  redis.call('ZREMRANGEBYSCORE', slots, '-inf', now)
  if slotUntil then
    redis.call('ZADD', slots, slotUntil, a.id)
  else
    redis.call('ZREM', slots, a.id)
  end
end

if before.mark ~= after.mark then
  unlist(a.id, before)
  list(a.id, after)
end
if after.mark == QUEUED then
  enqueue(a.id, record)
elseif hasLeft and after.mark == SUBMITTING then
  useTurn(record, after.caller)
end
-- What is spent or released for good is not in its head, and not counted again.
if before.spend ~= '' then
  count(after.caller, before.spend, a.spend)
end

record.version, record.isClaimed, record.content = expected + 1, false, a.content
if a.drop == '1' then
  record.tag = nil
end
write(a.id, record)
return {'saved', a.silent ~= '1' and noteChange(a.id, after.caller, record.version)}
