-- Behind the prelude of scripts that take calls of keys or begin submits.

-- Submits in a row after which a poll has its turn.
local MOST_IN_A_ROW = 4
-- When nothing is left to be known of the calls of a key.
local RATE_MS = 600000

-- Whether the document that terms follow from was changed since.
local function isOutdated(asOf)
  return asOf ~= nil and tonumber(redis.call('HGET', base .. 'doc:' .. asOf.document, 'rev') or 0) ~= asOf.revision
end

-- The calls of a key (GCRA): how much of a burst is used, in ms; how many may be had now; how many submits were made in a row
-- while polls waited.
local function callsOf(key, terms, burst)
  local tat, inARow = string.match(redis.call('GET', base .. 'rate:' .. key) or '0 0', '^(%S+) (%d+)$')
  -- No more than a burst can have been used; what says so comes from a clock that was ahead.
  local used = math.min(math.max(tat - now, 0), terms.burst * terms.intervalMs)
  local calls = {key = key, terms = terms, burst = burst, used = used, share = math.huge, inARow = tonumber(inARow)}
  calls.isOutdated = isOutdated(terms.asOf)
  calls.room = calls.isOutdated and 0 or math.max(0, math.floor(burst - used / terms.intervalMs))
  return calls
end

local function takeCalls(calls, taken, inARow)
  if taken > 0 then
    calls.used = calls.used + taken * calls.terms.intervalMs
    local rate = string.format('%.17g %d', now + calls.used, inARow)
    redis.call('SET', base .. 'rate:' .. calls.key, rate, 'PX', RATE_MS)
  end
end

-- Milliseconds until the next call; where only the other kind's turn is in the way, those of one call; 0 with outdated terms.
local function waitMs(calls, taken)
  local interval = calls.terms.intervalMs
  if calls.isOutdated then
    return 0
  elseif taken < calls.room then
    return math.ceil(interval)
  end
  return math.ceil(calls.used - (calls.burst - 1) * interval)
end

-- The keys that have a slot, and how many calls each has for submits.
local function keysWithSlots(terms)
  local keys = {}
  for _, term in ipairs(terms) do
    local free = term.slots - slotsHeld(term.keyId)
    if free > 0 then
      local calls = callsOf(term.keyId, term.calls, term.calls.burst)
      local pollsWait = dueNow(term.keyId) > 0
      if pollsWait then
        calls.share = math.max(0, MOST_IN_A_ROW - calls.inARow)
      end
      keys[#keys + 1] = {free = free, calls = calls, pollsWait = pollsWait, taken = 0}
    end
  end
  return keys
end

-- That with the most free slots of those that have a call.
local function nextKey(keys)
  local best
  for _, key in ipairs(keys) do
    if key.free > 0 and key.taken < math.min(key.calls.room, key.calls.share) and (not best or key.free > best.free) then
      best = key
    end
  end
  return best
end

local function takeKey(key)
  key.free, key.taken = key.free - 1, key.taken + 1
end

local function keepTaken(keys)
  for _, key in ipairs(keys) do
    takeCalls(key.calls, key.taken, key.pollsWait and key.calls.inARow + key.taken or 0)
  end
end

-- Makes a queued record one that is submitted with a key, in a content that is yet to be written.
local function markBegun(record, key, intent)
  local head = record.head
  head.mark, head.key, head.intent = SUBMITTING, key, intent
  head.attempt = string.format('%d', head.attempt + 1)
  local words = {}
  for i, word in ipairs(WORDS) do
    words[i] = head[word]
  end
  record.content = table.concat(words, ' ') .. '\n' .. record.document
end

local function holdSlot(id, key)
  redis.call('ZREMRANGEBYSCORE', base .. 'slots:' .. key, '-inf', now)
  redis.call('ZADD', base .. 'slots:' .. key, '+inf', id)
end
