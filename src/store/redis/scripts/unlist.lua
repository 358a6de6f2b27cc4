--[[
  Takes an avatar that is not there out of where it was found.

  a.id
  a.from   list or feed
  a.name   what it is called there

  Result: 1, or 0 where it is there
]]
if redis.call('EXISTS', base .. 'avatar:' .. a.id) == 1 then
  return 0
end
redis.call('ZREM', base .. a.from, a.name)
return 1
