--[[
  Takes an avatar that is not there out of where it was found.

  KEYS[1] record
  KEYS[2] list or feed

  ARGV[1...] what it may be called there

  Result: 1, or 0 when it is there
]]
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
redis.call('ZREM', KEYS[2], unpack(ARGV))
return 1
