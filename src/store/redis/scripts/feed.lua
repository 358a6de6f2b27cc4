--[[
  Avatars that were changed behind a place, the first of them first.

  a.feed    'feed', or 'feed:' and a caller
  a.after   the place
  a.limit

  Result: {now, last place there was, place up to which changes may be missing, {{id, place, stored}, ...}}
]]
local function below(member)
  return string.format('%.0f', -tonumber(redis.call('ZSCORE', base .. a.feed, member) or 0))
end

local rows = {}
local changes = redis.call('ZRANGE', base .. a.feed, '(' .. a.after, '+inf', 'BYSCORE', 'LIMIT', 0, a.limit, 'WITHSCORES')
for i = 1, #changes, 2 do
  local record = read(changes[i])
  rows[#rows + 1] = {changes[i], changes[i + 1], record and record.stored or false}
end
return {now, below('!last'), below('!forgotten'), rows}
