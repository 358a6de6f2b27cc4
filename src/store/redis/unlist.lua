--[[
  Takes an avatar that is not there out of where it was found.

  KEYS[1] record
  KEYS[2...] lists or a feed

  ARGV[1] what it is called there

  Result: 1, or 0 when it is there
]]
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
for i = 2, #KEYS do
  redis.call('ZREM', KEYS[i], ARGV[1])
end
return 1
