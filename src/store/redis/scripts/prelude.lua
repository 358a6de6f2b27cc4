-- In front of every script, behind the names of its arguments (`a`) and what each status means (see scripts.ts).
--
-- KEYS[1] is no key but what all keys begin with, `{prefix}:`. So a Redis Cluster knows the slot; and while that slot moves to
-- another node the script is refused as a whole, since such a key is nowhere.

local base = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function has(marks, mark)
  return string.find(marks, mark, 1, true) ~= nil
end

-- A record is one string: its version, with a `c` where a claim gave it that, its tag in the queue or nothing, and its
-- content, which is the words of its head and, on the next line, its document.
local WORDS = {'mark', 'attempt', 'key', 'intent', 'created', 'external', 'idempotency', 'task', 'spend', 'caller'}

-- The head and the document of a content; no head where it cannot be read.
local function parse(content)
  local words = {string.match(content, '^(%a) (%d+)' .. string.rep(' (%S*)', 8) .. '\n')}
  if not words[1] then
    return nil
  end
  local head = {}
  for i, word in ipairs(WORDS) do
    head[word] = words[i]
  end
  return head, string.sub(content, string.find(content, '\n', 1, true) + 1)
end

-- A record, with `stored` alone where it cannot be read, '' where it is not even a string; nil where there is none.
local function read(id)
  local stored = redis.pcall('GET', base .. 'avatar:' .. id)
  if not stored then
    return nil
  elseif type(stored) ~= 'string' then
    return {stored = ''}
  end
  local _, last, version, claimed, tag = string.find(stored, '^(%d+)(c?) (%S*) ')
  if not last then
    return {stored = stored}
  end
  local record = {stored = stored, version = tonumber(version), tag = tonumber(tag)}
  record.isClaimed = claimed ~= ''
  record.content = string.sub(stored, last + 1)
  record.head, record.document = parse(record.content)
  local schema = record.document and tonumber(string.match(record.document, '^(%d+) '))
  record.isNewer = schema ~= nil and schema > SCHEMA
  return record
end

local function write(id, record)
  local tag = record.tag and string.format('%.17g', record.tag) or ''
  local version = string.format('%.0f', record.version) .. (record.isClaimed and 'c' or '')
  record.stored = version .. ' ' .. tag .. ' ' .. record.content
  redis.call('SET', base .. 'avatar:' .. id, record.stored)
end

-- The bytes of a submission.
local function sizeOf(id)
  return tonumber(redis.call('HGET', base .. 'submission:' .. id, 'bytes') or 0)
end

-- Due indexes: that of a key, or the common one. `key-ids` has the keys whose own is not empty.

local function dueIndex(key)
  return base .. (key == '' and 'due' or 'due:' .. key)
end

local function dueIndexOf(head)
  return has(AT_KEY, head.mark) and head.key or ''
end

local function setDue(id, key, at)
  redis.call('ZADD', dueIndex(key), at, id)
  if key ~= '' then
    redis.call('SADD', base .. 'key-ids', key)
  end
end

local function clearDue(id, key)
  if redis.call('ZREM', dueIndex(key), id) == 1 and key ~= '' and redis.call('EXISTS', dueIndex(key)) == 0 then
    redis.call('SREM', base .. 'key-ids', key)
  end
end

-- Milliseconds until the first of a due index is due: 0 when it is now, -1 when there is none.
local function dueIn(key)
  local first = redis.call('ZRANGE', dueIndex(key), 0, 0, 'WITHSCORES')
  return #first == 0 and -1 or math.max(0, tonumber(first[2]) - now)
end

local function dueNow(key)
  return redis.call('ZCOUNT', dueIndex(key), '-inf', now)
end

-- Slots of a key: a sorted set of those that hold one, by when that ends.
local function slotsHeld(key)
  return redis.call('ZCOUNT', base .. 'slots:' .. key, '(' .. now, '+inf')
end

-- Lists: a sorted set for each caller and one for everyone, all scores 0, of `<mark><created><id>`; and `external`, of the same
-- behind the word for an external id and its caller.

local function eachListed(id, head, work)
  local entry = head.mark .. head.created .. id
  work(base .. 'list:' .. head.caller, entry)
  work(base .. 'list', entry)
  if head.external ~= '' then
    work(base .. 'external', head.external .. entry)
  end
end

local function unlist(id, head)
  eachListed(id, head, function(key, name)
    redis.call('ZREM', key, name)
  end)
end

local function list(id, head)
  eachListed(id, head, function(key, name)
    redis.call('ZADD', key, 0, name)
  end)
end

-- How many avatars of a caller have one of some statuses.
local function countListed(caller, marks)
  local sum = 0
  for mark in string.gmatch(marks, '.') do
    sum = sum + redis.call('ZLEXCOUNT', base .. 'list:' .. caller, '[' .. mark, '(' .. mark .. '~')
  end
  return sum
end

-- Feeds: a sorted set for each caller and one for everyone, of ids by the place of their last change. Two members are no ids
-- and have scores below 0: !last is the last place there was, !forgotten that up to which changes may be missing.

-- Gives a change the next place there is, tells of it, `<version> <id> <place> <caller>`, and returns the place. Behind the
-- writes nothing may fail, so a user who may not publish is let be.
local function noteChange(id, caller, version)
  local last = -tonumber(redis.call('ZSCORE', base .. 'feed', '!last') or 0)
  local at = math.max(time[1] * 1000000 + time[2], last + 1)
  for _, feed in ipairs({'feed:' .. caller, 'feed'}) do
    redis.call('ZADD', base .. feed, at, id, -at, '!last')
  end
  redis.pcall('PUBLISH', base .. 'changes', string.format('%.0f %s %.0f %s', version, id, at, caller))
  return string.format('%.0f', at)
end

-- Spend: a hash for each month of a caller. An entry, `<day> <mode>`, has eight numbers: avatars, milliseconds and units
-- reserved, then the same settled, and of those the units by the price and billed; the units of a day lie under its number, those
-- of the month under `month`.

-- What a caller spent on a day, `<month>_<day>`, and in its month, in units.
local function spentIn(caller, date)
  local month, day = string.match(date, '^(.-)_(.*)$')
  local units = redis.call('HMGET', base .. 'spend:' .. month .. ':' .. caller, day, 'month')
  return tonumber(units[1] or 0), tonumber(units[2] or 0)
end

local function addNumbers(sums, word, sign)
  local i = 0
  for number in string.gmatch(string.match(word, '^[^_]+_%d+_%a+(.*)$') or '', '%d+') do
    i = i + 1
    sums[i] = sums[i] + sign * number
  end
end

-- Counts an avatar as what it is now instead of as what it was. Returns what was then spent on its day and in its month, in units,
-- where that changed.
--   before, after   `<month>_<day>_<mode>`, and `_` before each number that it adds; or '', where nothing is counted
local function count(caller, before, after)
  if before == after then
    return
  end
  local month, day, mode = string.match(after ~= '' and after or before, '^([^_]+)_(%d+)_(%a+)')
  local account, entry = base .. 'spend:' .. month .. ':' .. caller, day .. ' ' .. mode
  local held = redis.call('HGET', account, entry)
  -- What was counted so long ago that it is forgotten is not taken back either.
  if before ~= '' and not held then
    return
  end
  local sums = {}
  for sum in string.gmatch(held or '0 0 0 0 0 0 0 0', '%-?%d+') do
    sums[#sums + 1] = tonumber(sum)
  end
  local spent = sums[3] + sums[6]
  addNumbers(sums, before, -1)
  addNumbers(sums, after, 1)
  local change = string.format('%.0f', sums[3] + sums[6] - spent)
  for i, sum in ipairs(sums) do
    sums[i] = string.format('%.0f', sum)
  end
  redis.call('HSET', account, entry, table.concat(sums, ' '))
  return redis.call('HINCRBY', account, day, change), redis.call('HINCRBY', account, 'month', change)
end

-- The queue: a sorted set of ids by their tag, and one of each caller's own. `queue-served` has the tag of a caller's last
-- one submitted, `queue-clock` the highest one submitted of all.

local function enqueue(id, record)
  redis.call('ZADD', base .. 'queue:' .. record.head.caller, 'NX', record.tag or 0, id)
  if redis.call('ZADD', base .. 'queue', 'NX', record.tag or 0, id) == 1 then
    redis.call('INCRBY', base .. 'queue-bytes', sizeOf(id))
  end
end

local function leaveQueue(id, caller)
  redis.call('ZREM', base .. 'queue:' .. caller, id)
  if redis.call('ZREM', base .. 'queue', id) == 1 then
    redis.call('DECRBY', base .. 'queue-bytes', sizeOf(id))
    redis.call('ZREM', base .. 'queue-doubt', id)
    return true
  end
  return false
end

-- The tag of a caller's next avatar: a step behind its last one, queued or submitted.
local function nextTag(caller, step)
  local last = redis.call('ZRANGE', base .. 'queue:' .. caller, -1, -1, 'WITHSCORES')[2] or 0
  local served = redis.call('ZSCORE', base .. 'queue-served', caller) or 0
  return math.max(redis.call('GET', base .. 'queue-clock') or 0, math.max(last, served) + step)
end

local function useTurn(record, caller)
  local tag = record.tag
  if not tag then
    return
  end
  redis.call('ZADD', base .. 'queue-served', 'GT', tag, caller)
  if tag > tonumber(redis.call('GET', base .. 'queue-clock') or 0) then
    redis.call('SET', base .. 'queue-clock', string.format('%.17g', tag))
    -- A caller whose last turn is a whole one before the clock starts at the clock, like a new one: no step is longer.
    redis.call('ZREMRANGEBYSCORE', base .. 'queue-served', '-inf', tag - 1)
  end
end

-- Takes an avatar out of all that leads to it or counts it, but for its record and its idempotency key; `record` where what it
-- was to cost is given back.
local function forget(id, head, record)
  leaveQueue(id, head.caller)
  redis.call('DEL', base .. 'submission:' .. id)
  clearDue(id, '')
  if head.key ~= '' then
    clearDue(id, head.key)
    redis.call('ZREM', base .. 'slots:' .. head.key, id)
  end
  unlist(id, head)
  for _, feed in ipairs({'feed:' .. head.caller, 'feed'}) do
    redis.call('ZREM', base .. feed, id)
  end
  if head.task ~= '' then
    redis.call('SREM', base .. 'tasks', head.task)
  end
  if record then
    count(head.caller, head.spend, '')
  end
end
