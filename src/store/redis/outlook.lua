--[[
  Where there is something to do.

  KEYS[1] due
  KEYS[2] queue
  KEYS[3] bytes
  KEYS[4...] due and slots of each key asked for

  Result: {now, queued, bytes queued, ms until one is due, then for each key: slots held, due now, ms until one is due};
  -1 where none is due ever
]]
local queuedBytes = tonumber(redis.call('GET', KEYS[3]) or 0)
local result = {now, redis.call('ZCARD', KEYS[2]), queuedBytes, dueIn(KEYS[1])}
for i = 4, #KEYS, 2 do
  result[#result + 1] = redis.call('ZCOUNT', KEYS[i + 1], '(' .. now, '+inf')
  result[#result + 1] = redis.call('ZCOUNT', KEYS[i], '-inf', now)
  result[#result + 1] = dueIn(KEYS[i])
end
return result
