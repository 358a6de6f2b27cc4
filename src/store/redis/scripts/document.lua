--[[
  Reads a shared document.

  a.name

  Result: {now, revision, value}, with nil for what is missing
]]
local document = redis.call('HMGET', base .. 'doc:' .. a.name, 'rev', 'value')
return {now, document[1], document[2]}
