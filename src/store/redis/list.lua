--[[
  The newest entries of lists, all read at one moment.

  KEYS[1...] lists

  ARGV[1] the entry that is behind them, which counts no more
  ARGV[2] the entry that is before them, which counts no more
  ARGV[3] limit

  Result: {{entry, ...}, ...}
]]
local lists = {}
for i, list in ipairs(KEYS) do
  lists[i] = redis.call('ZRANGE', list, '(' .. ARGV[1], '(' .. ARGV[2], 'BYLEX', 'REV', 'LIMIT', 0, ARGV[3])
end
return lists
