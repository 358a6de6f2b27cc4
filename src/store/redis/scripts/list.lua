--[[
  The newest avatars of a list behind what a name begins with, all read at one moment.

  a.list    'list', or 'list:' and a caller; or 'external'
  a.stem    what names begin with
  a.more    how many letters are between that and their entries; the last of them is the mark
  a.marks   those that are wanted
  a.gt      only entries above it, which are newer
  a.lt      only entries below it
  a.limit

  Result: {now, {{name, entry, stored, how many are ahead in the queue}, ...}}
]]
local limit = tonumber(a.limit)
local list, entries, names, gt = base .. a.list, {}, {}, a.gt
local function isNewer(one, other)
  return one > other
end

local function add(prefix)
  local found = redis.call('ZRANGE', list, '(' .. prefix .. a.lt, '(' .. prefix .. gt, 'BYLEX', 'REV', 'LIMIT', 0, limit)
  for _, member in ipairs(found) do
    local entry = string.sub(member, #prefix + 1)
    entries[#entries + 1], names[entry] = entry, member
  end
  table.sort(entries, isNewer)
  for i = #entries, limit + 1, -1 do
    entries[i] = nil
  end
  -- What is older than as many as are wanted need not be looked at.
  gt = #entries == limit and entries[limit] or gt
end

-- From one that is there to the next.
local at = a.stem
repeat
  local name = redis.call('ZRANGE', list, '(' .. at, '(' .. a.stem .. '~', 'BYLEX', 'LIMIT', 0, 1)[1]
  if name then
    local prefix = string.sub(name, 1, #a.stem + a.more)
    if has(a.marks, string.sub(prefix, -1)) then
      add(prefix)
    end
    at = prefix .. '~'
  end
until not name

local rows = {}
for i, entry in ipairs(entries) do
  local id = string.sub(entry, ENTRY_TIME + 1)
  local record = read(id)
  rows[i] = {names[entry], entry, record and record.stored or false, redis.call('ZRANK', base .. 'queue', id)}
end
return {now, rows}
