--[[
  Moves a record that could not be read out of the way, as it is, and takes back all that was held for it. Where there
  is no record at all, that alone.

  KEYS[1] record
  KEYS[2] due
  KEYS[3] corrupt   where it goes
  KEYS[4] queue
  KEYS[5] bytes
  KEYS[6] submission
  KEYS[7...] due and slots of its key, where that is known, and of all that ever had a due index

  ARGV[1] id
  ARGV[2] v as it was read, or ''

  Result: 1, or 0 when it is gone or was written since
]]
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'hash' and (redis.call('HGET', KEYS[1], 'v') or '') ~= ARGV[2] then
  return 0
end

leaveQueue(KEYS[4], KEYS[5], KEYS[6], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
for i = 7, #KEYS do
  redis.call('ZREM', KEYS[i], ARGV[1])
end
if kind == 'none' then
  return 0
end
redis.call('RENAME', KEYS[1], KEYS[3])
return 1
