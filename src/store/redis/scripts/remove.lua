--[[
  Forgets an avatar that is still at the version given, and all that belongs to it.

  a.id
  a.version

  Result: 1, or 0 where the record is at another version
]]
local record = read(a.id)
if not record or not record.head or record.version ~= tonumber(a.version) then
  return 0
end
local head = record.head
-- What was not sent costs nothing, whoever takes it back.
forget(a.id, head, has(QUEUED .. SUBMITTING, head.mark) and record)
redis.call('DEL', base .. 'avatar:' .. a.id)
if head.idempotency ~= '' then
  redis.call('HDEL', base .. 'keys', head.idempotency)
end
redis.pcall('PUBLISH', base .. 'changes', '0 ' .. a.id .. ' 0 ' .. head.caller)
return 1
