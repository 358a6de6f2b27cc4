-- In front of every script.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Takes an avatar out of the queue; says whether it was in it.
local function leaveQueue(queue, bytes, submission, id)
  if redis.call('ZREM', queue, id) == 0 then
    return false
  end
  redis.call('DECRBY', bytes, redis.call('STRLEN', submission))
  return true
end

-- Milliseconds until the first of a due index is due: 0 when it is now, -1 when there is none.
local function dueIn(due)
  local first = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
  return #first == 0 and -1 or math.max(0, tonumber(first[2]) - now)
end
