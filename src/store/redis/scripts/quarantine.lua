--[[
  Moves a record that could not be read out of the way, as it is, for a while, and takes back all that was held for it, as far as its
  head says what that is. Where there is no record at all, that alone.

  a.id
  a.stored   as it was read; '' where that is no string, or there is none

  Result: 1, or 0 where it is gone or was written since
]]
local record = read(a.id)
if record and record.stored ~= a.stored then
  return 0
end
local head = record and record.head
if head then
  forget(a.id, head, record)
  if head.idempotency ~= '' then
    -- Its key goes on to name what was lost, as long as anybody can look at that.
    redis.call('HDEL', base .. 'keys', head.idempotency)
    redis.call('SET', base .. 'corrupt-key:' .. head.idempotency, '', 'PX', QUARANTINE_MS)
  end
end
leaveQueue(a.id, '')
for _, caller in ipairs(redis.call('SMEMBERS', base .. 'callers')) do
  redis.call('ZREM', base .. 'queue:' .. caller, a.id)
end
clearDue(a.id, '')
for _, key in ipairs(redis.call('SMEMBERS', base .. 'slot-keys')) do
  clearDue(a.id, key)
  redis.call('ZREM', base .. 'slots:' .. key, a.id)
end
redis.call('ZREM', base .. 'feed', a.id)
redis.call('DEL', base .. 'submission:' .. a.id)
if not record then
  return 0
end
redis.call('RENAME', base .. 'avatar:' .. a.id, base .. 'corrupt:' .. a.id)
redis.call('PEXPIRE', base .. 'corrupt:' .. a.id, QUARANTINE_MS)
return 1
