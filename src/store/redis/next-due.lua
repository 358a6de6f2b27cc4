--[[
  How long until the next avatar is due.

  KEYS[1] due

  Result: ms, 0 when one is due now; nil when there is none
]]
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if #first == 0 then
  return false
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return math.max(0, tonumber(first[2]) - now)
