--[[
  Reads a shared document.

  KEYS[1] document   hash: rev, value

  Result: {now, rev, value}, with nil for what is missing
]]
local document = redis.call('HMGET', KEYS[1], 'rev', 'value')
return {now, document[1], document[2]}
