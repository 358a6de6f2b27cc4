--[[
  The newest entries of a list behind each of some prefixes, all read at one moment.

  KEYS[1] list

  ARGV[1] the entry that is behind them, which counts no more
  ARGV[2] the entry that is before them, which counts no more
  ARGV[3] limit
  ARGV[4...] prefixes

  Result: {{prefix and entry, ...}, ...}
]]
local found = {}
for i = 4, #ARGV do
  local behind, before = '(' .. ARGV[i] .. ARGV[1], '(' .. ARGV[i] .. ARGV[2]
  found[i - 3] = redis.call('ZRANGE', KEYS[1], behind, before, 'BYLEX', 'REV', 'LIMIT', 0, ARGV[3])
end
return found
