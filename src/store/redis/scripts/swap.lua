--[[
  Replaces a shared document that is still at the revision given.

  a.name
  a.revision   0 where there is none
  a.value

  Result: {now, revision, value} as it then is, and 1 where it was replaced
]]
local document = base .. 'doc:' .. a.name
local revision = redis.call('HGET', document, 'rev') or '0'
if revision ~= a.revision then
  return {now, revision, redis.call('HGET', document, 'value'), 0}
end
redis.call('HSET', document, 'rev', revision + 1, 'value', a.value)
return {now, revision + 1, a.value, 1}
