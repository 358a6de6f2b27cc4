-- In front of every script.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- The bytes of a submission.
local function sizeOf(submission)
  return redis.call('HGET', submission, 'bytes') or 0
end

-- Takes an avatar out of the queue. Returns the tag it had there; nil where it was not in it.
local function leaveQueue(queue, bytes, submission, id)
  local tag = redis.call('ZSCORE', queue, id)
  if not tag then
    return nil
  end
  redis.call('ZREM', queue, id)
  redis.call('DECRBY', bytes, sizeOf(submission))
  return tonumber(tag)
end

-- Milliseconds until the first of a due index is due: 0 when it is now, -1 when there is none.
local function dueIn(due)
  local first = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
  return #first == 0 and -1 or math.max(0, tonumber(first[2]) - now)
end

-- Gives the change of an avatar of a caller the next place among all changes there are, and returns it. Two members of a
-- feed are no ids and have scores below 0: !last is the last place there was, !forgotten that up to which changes may be
-- missing. In `everyone` each caller stands with the last place in its feed, from its first change with this release on.
local function noteChange(feed, everyone, id, caller)
  local micros = time[1] * 1000000 + time[2]
  local latest = redis.call('ZRANGE', everyone, -1, -1, 'WITHSCORES')[2]
  local last = math.max(-tonumber(redis.call('ZSCORE', feed, '!last') or 0), tonumber(latest or 0))
  local at = math.max(micros, last + 1)
  redis.call('ZADD', feed, at, id, -at, '!last')
  redis.call('ZADD', everyone, at, caller)
  return string.format('%.0f', at)
end

-- Says that an avatar of a caller was written, with the version that it has now and the place of the change: 0 and 0
-- where it was removed. Behind the writes nothing may fail, so a user who may not publish is let be.
local function tell(changes, version, id, caller, at)
  redis.pcall('PUBLISH', changes, version .. ' ' .. id .. ' ' .. at .. ' ' .. caller)
end

-- The units that a caller spent on a day and in its month, of which this is the account.
local function spentIn(account, day)
  local units = redis.call('HMGET', account, day, 'month')
  return tonumber(units[1] or 0), tonumber(units[2] or 0)
end

-- Counts an avatar in an account where it goes from the state of one mark to that of another; a new one has none before.
--   spend    day, mode, and the six numbers it adds to their entry in either state; or '', where nothing is counted
--   states   each mark that counts, and where the numbers of its state begin
local function count(account, spend, states, before, after)
  local from = before and string.match(states, before .. '(%d)')
  local to = after and string.match(states, after .. '(%d)')
  if spend == '' or (from or '') == (to or '') then
    return
  end
  local day, mode, costs = string.match(spend, '^(%d+) (%a+) (.+)$')
  local entry = day .. ' ' .. mode
  local held = redis.call('HGET', account, entry)
  -- What was counted so long ago that it is forgotten is not taken back either.
  if from and not held then
    return
  end
  local sums, units = {}, 0
  local nextSum = string.gmatch(held or '0 0 0 0 0 0', '%-?%d+')
  for cost in string.gmatch(costs, '%d+') do
    local i = #sums + 1
    local state = i < 4 and '1' or '4'
    local change = (state == to and cost or 0) - (state == from and cost or 0)
    sums[i] = string.format('%.0f', nextSum() + change)
    units = i % 3 == 0 and units + change or units
  end
  redis.call('HSET', account, entry, table.concat(sums, ' '))
  redis.call('HINCRBY', account, day, units)
  redis.call('HINCRBY', account, 'month', units)
end
