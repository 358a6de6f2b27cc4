--[[
  Replaces a shared document that is still at the revision given.

  KEYS[1] document

  ARGV[1] revision, 0 where there is none
  ARGV[2] value

  Result: {now, rev, value} as it then is, and 1 where it was replaced
]]
local revision = redis.call('HGET', KEYS[1], 'rev') or '0'
if revision ~= ARGV[1] then
  return {now, revision, redis.call('HGET', KEYS[1], 'value'), 0}
end
redis.call('HSET', KEYS[1], 'rev', revision + 1, 'value', ARGV[2])
return {now, revision + 1, ARGV[2], 1}
