--[[
  Where there is something to do.

  a.keys   JSON: the keys asked for

  Result: {now, queued, bytes queued, ms until one is due, then for each key: slots held, due now, ms until one is due};
  -1 where none is due ever
]]
local queuedBytes = tonumber(redis.call('GET', base .. 'queue-bytes') or 0)
local result = {now, redis.call('ZCARD', base .. 'queue'), queuedBytes, dueIn('')}
for _, key in ipairs(cjson.decode(a.keys)) do
  result[#result + 1] = slotsHeld(key)
  result[#result + 1] = dueNow(key)
  result[#result + 1] = dueIn(key)
end
return result
