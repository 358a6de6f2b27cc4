--[[
  Changes of all callers behind a place, the oldest first, read at one moment.

  KEYS[1] everyone
  KEYS[2...] feeds

  ARGV[1] place
  ARGV[2] limit
  ARGV[3...] the callers whose feeds these are

  Result: {last place there was, place up to which changes may be missing, {id, its place, number of its feed, ...}};
  {{caller, ...}} where another feed is needed: the callers that have changes behind the place
]]
local feedOf = {}
for i = 3, #ARGV do
  feedOf[ARGV[i]] = i - 2
end
local callers = redis.call('ZRANGE', KEYS[1], '(' .. ARGV[1], '+inf', 'BYSCORE')
for _, caller in ipairs(callers) do
  if not feedOf[caller] then
    return {callers}
  end
end

local function isOlder(one, other)
  return tonumber(one[2]) < tonumber(other[2])
end

local limit = tonumber(ARGV[2])
local found, before, forgotten = {}, '+inf', 0
for _, caller in ipairs(callers) do
  local number = feedOf[caller]
  local feed = KEYS[number + 1]
  forgotten = math.max(forgotten, -tonumber(redis.call('ZSCORE', feed, '!forgotten') or 0))
  local changes = redis.call('ZRANGE', feed, '(' .. ARGV[1], before, 'BYSCORE', 'LIMIT', 0, limit, 'WITHSCORES')
  for i = 1, #changes, 2 do
    found[#found + 1] = {changes[i], changes[i + 1], number - 1}
  end
  if #changes > 0 then
    table.sort(found, isOlder)
  end
  for i = #found, limit + 1, -1 do
    found[i] = nil
  end
  -- What is behind as many as are wanted need not be looked at.
  before = #found > 0 and #found == limit and '(' .. found[limit][2] or before
end

local entries = {}
for _, entry in ipairs(found) do
  for i = 1, 3 do
    entries[#entries + 1] = entry[i]
  end
end
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2] or 0
return {string.format('%.0f', last), string.format('%.0f', forgotten), entries}
