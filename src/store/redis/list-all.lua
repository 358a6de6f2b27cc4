--[[
  The newest entries of all callers' lists behind any of some prefixes, all read at one moment.

  KEYS[1] everyone
  KEYS[2...] lists

  ARGV[1] the entry that is behind them, which counts no more
  ARGV[2] the entry that is before them, which counts no more
  ARGV[3] limit
  ARGV[4] how many prefixes
  ARGV[5...] prefixes, and the callers whose lists these are

  Result: {entry, number of its list, ...}; {{caller, ...}} where another list is needed: all callers
]]
local prefixes, limit = tonumber(ARGV[4]), tonumber(ARGV[3])
local known = {}
for i = 5 + prefixes, #ARGV do
  known[ARGV[i]] = true
end
local callers = redis.call('ZRANGE', KEYS[1], 0, -1)
for _, caller in ipairs(callers) do
  if not known[caller] then
    return {callers}
  end
end

local function isNewer(one, other)
  return one[1] > other[1]
end

local found, before = {}, ARGV[2]
for number = 2, #KEYS do
  for i = 5, 4 + prefixes do
    local prefix = ARGV[i]
    local behind = '(' .. prefix .. ARGV[1]
    local names = redis.call('ZRANGE', KEYS[number], behind, '(' .. prefix .. before, 'BYLEX', 'REV', 'LIMIT', 0, limit)
    for _, name in ipairs(names) do
      found[#found + 1] = {string.sub(name, #prefix + 1), number - 2}
    end
    if #names > 0 then
      table.sort(found, isNewer)
    end
    for last = #found, limit + 1, -1 do
      found[last] = nil
    end
    -- What is older than as many as are wanted need not be looked at.
    before = #found > 0 and #found == limit and found[limit][1] or before
  end
end

local entries = {}
for _, entry in ipairs(found) do
  entries[#entries + 1] = entry[1]
  entries[#entries + 1] = entry[2]
end
return entries
