--[[
  The ids of the avatars that are due, longest due first.

  KEYS[1] due

  ARGV[1] limit

  Result: {id, ...}
]]
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
