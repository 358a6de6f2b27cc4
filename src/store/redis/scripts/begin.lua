--[[
  Begins submits of those that are first in the queue, without those whose creation is in doubt, and without those that are due, or
  claimed as such: they have waited for as long as they may. The same call again answers with those that it began and that still
  are where it left them.

  a.begin    see readBegin
  a.limit
  a.large    how many of them may be so large that their submission does not come along
  a.inline   up to how many bytes a submission comes along

  Result: {now, ms until a call may be had for more, 0 with outdated terms, -1 where it is no call that is missing, {{id, stored, submission}, ...},
  place of the last change}
]]
-- How far to look behind those that are passed over.
local MOST_PASSED = 1000
-- How long it is known what a call began: far longer than it is repeated.
local BEGUN_MS = 600000
local limit, large, inline = tonumber(a.limit), tonumber(a.large), tonumber(a.inline)
local wanted = readBegin(a.begin)
local begunKey = base .. 'begun:' .. wanted.intent
local rows = {}

local function add(id, record)
  local isSmall = sizeOf(id) <= inline
  rows[#rows + 1] = {id, record.stored, isSmall and redis.call('HGET', base .. 'submission:' .. id, 0)}
end

local before = redis.call('GET', begunKey)
for id in string.gmatch(before or '', '%S+') do
  local record = read(id)
  local head = record and record.head
  if head and head.mark == SUBMITTING and head.intent == wanted.intent then
    add(id, record)
  end
end
if #rows > 0 then
  -- Written again, so that a WAIT behind it waits for no less than this.
  redis.call('SET', begunKey, before, 'PX', BEGUN_MS)
  return {now, -1, rows}
end

redis.call('ZREMRANGEBYSCORE', base .. 'queue-doubt', '-inf', now)
local keys = keysWithSlots(wanted)
local begun, passed, place = {}, 0, nil

-- Begins the one with an id, or says by 'pass' that it is not to be begun, by 'full' that no key can take it, by 'large' that it is
-- a large one too many.
local function begin(id)
  if redis.call('ZSCORE', base .. 'queue-doubt', id) then
    return 'pass'
  end
  local record = read(id)
  if not record or not record.head then
    rows[#rows + 1] = {id, record and record.stored or false, false}
    return 'pass'
  elseif record.isNewer or record.isClaimed or tonumber(redis.call('ZSCORE', dueIndex(''), id) or 0) <= now then
    return 'pass'
  end
  local isLarge = sizeOf(id) > inline
  if isLarge and large == 0 then
    return 'large'
  end
  local key = nextKey(keys)
  if not key then
    return 'full'
  end
  large = large - (isLarge and 1 or 0)
  takeKey(key)
  leaveQueue(id, record.head.caller)
  unlist(id, record.head)
  markBegun(record, key.id, wanted.intent)
  record.version, record.isClaimed = record.version + 1, false
  write(id, record)
  list(id, record.head)
  holdSlot(id, key.id)
  useTurn(record, record.head.caller)
  setDue(id, '', now + wanted.leaseMs)
  place = noteChange(id, record.head.caller, record.version)
  add(id, record)
  begun[#begun + 1] = id
  return 'begun'
end

local result
local ends = {full = true, large = true}
while #rows < limit and passed < MOST_PASSED and not ends[result] do
  local waiting = redis.call('ZRANGE', base .. 'queue', passed, passed + MOST_PASSED / 10 - 1)
  if #waiting == 0 then
    break
  end
  for _, id in ipairs(waiting) do
    result = #rows < limit and begin(id) or 'full'
    if ends[result] then
      break
    end
    passed = passed + (result == 'pass' and 1 or 0)
  end
end
keepTaken(keys)
if #begun > 0 then
  redis.call('SET', begunKey, table.concat(begun, ' '), 'PX', BEGUN_MS)
end
local wait = -1
if #rows < limit and result == 'full' then
  for _, key in ipairs(keys) do
    if key.free > 0 then
      local ms = waitMs(key.calls, key.taken)
      wait = wait < 0 and ms or math.min(wait, ms)
    end
  end
end
return {now, wait, rows, place}
