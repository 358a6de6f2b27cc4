--[[
  The newest avatars of a list behind any of some prefixes, all read at one moment.

  a.list       'list', or 'list:' and a caller
  a.prefixes   separated by spaces
  a.gt         only entries above it, which are newer
  a.lt         only entries below it
  a.limit

  Result: {now, {{entry, stored, how many are ahead in the queue}, ...}}
]]
local limit = tonumber(a.limit)
local entries, gt = {}, a.gt
local function isNewer(one, other)
  return one > other
end
for prefix in string.gmatch(a.prefixes, '%S+') do
  local from, to = '(' .. prefix .. a.lt, '(' .. prefix .. gt
  local found = redis.call('ZRANGE', base .. a.list, from, to, 'BYLEX', 'REV', 'LIMIT', 0, limit)
  for _, member in ipairs(found) do
    entries[#entries + 1] = string.sub(member, #prefix + 1)
  end
  table.sort(entries, isNewer)
  for i = #entries, limit + 1, -1 do
    entries[i] = nil
  end
  -- What is older than as many as are wanted need not be looked at.
  gt = #entries == limit and entries[limit] or gt
end

local rows = {}
for i, entry in ipairs(entries) do
  local id = string.sub(entry, ENTRY_TIME + 1)
  local record = read(id)
  rows[i] = {entry, record and record.stored or false, redis.call('ZRANK', base .. 'queue', id)}
end
return {now, rows}
