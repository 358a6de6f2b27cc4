-- Behind the prelude of scripts that take calls of keys or begin submits.

-- Submits in a row after which a poll has its turn.
local MOST_IN_A_ROW = 4
-- When nothing is left to be known of the calls of a key.
local RATE_MS = 600000

-- Revisions of documents, each read once.
local revisions = {}

-- Whether the document that terms follow from was changed since.
local function isOutdated(document, revision)
  if document ~= '' and not revisions[document] then
    revisions[document] = redis.call('HGET', base .. 'doc:' .. document, 'rev') or '0'
  end
  return document ~= '' and revisions[document] ~= revision
end

-- The calls of a key (GCRA): how much of a burst is used, in ms; how many may be had now; how many submits were made in a row
-- while polls waited.
--   terms     `<ms between two> <burst> <revision> <document>`; no document where they follow from none
--   reserve   how much of a burst is left to others
local function callsOf(key, terms, reserve)
  local interval, burst, revision, document = string.match(terms, '^(%S+) (%S+) (%S+) (%S*)$')
  interval = tonumber(interval)
  local most = math.max(1, burst - reserve)
  local tat, inARow = string.match(redis.call('GET', base .. 'rate:' .. key) or '0 0', '^(%S+) (%d+)$')
  -- No more than a burst can have been used; what says so comes from a clock that was ahead.
  local used = math.min(math.max(tat - now, 0), burst * interval)
  local calls = {key = key, interval = interval, burst = most, used = used, share = math.huge, inARow = tonumber(inARow)}
  calls.isOutdated = isOutdated(document, revision)
  calls.room = calls.isOutdated and 0 or math.max(0, math.floor(most - used / interval))
  return calls
end

local function takeCalls(calls, taken, inARow)
  if taken > 0 then
    calls.used = calls.used + taken * calls.interval
    local rate = string.format('%.17g %d', now + calls.used, inARow)
    redis.call('SET', base .. 'rate:' .. calls.key, rate, 'PX', RATE_MS)
  end
end

-- Milliseconds until the next call; where only the other kind's turn is in the way, those of one call; 0 with outdated terms.
local function waitMs(calls, taken)
  local interval = calls.interval
  if calls.isOutdated then
    return 0
  elseif taken < calls.room then
    return math.ceil(interval)
  end
  return math.ceil(calls.used - (calls.burst - 1) * interval)
end

-- What was asked to begin: intent and lease in ms, and on a line for each key its id, its slots and the terms of its calls.
local function readBegin(text)
  local intent, leaseMs, keys = string.match(text, '^(%S+) (%d+)\n(.*)$')
  return {intent = intent, leaseMs = leaseMs, keys = keys}
end

-- The keys that have a slot. Their calls are looked up once they are wanted.
local function keysWithSlots(wanted)
  local keys = {}
  for id, slots, terms in string.gmatch(wanted.keys, '(%S+) (%S+) ([^\n]+)\n') do
    local free = slots - slotsHeld(id)
    if free > 0 then
      keys[#keys + 1] = {id = id, free = free, terms = terms, taken = 0}
    end
  end
  return keys
end

local function hasCall(key)
  if not key.calls then
    key.calls = callsOf(key.id, key.terms, 0)
    key.pollsWait = dueNow(key.id) > 0
    if key.pollsWait then
      key.calls.share = math.max(0, MOST_IN_A_ROW - key.calls.inARow)
    end
  end
  return key.taken < math.min(key.calls.room, key.calls.share)
end

-- That with the most free slots of those that have a call.
local function nextKey(keys)
  local best
  for _, key in ipairs(keys) do
    if key.free > (best and best.free or 0) and not key.isSpent then
      best = key
    end
  end
  if best and not hasCall(best) then
    best.isSpent = true
    return nextKey(keys)
  end
  return best
end

local function takeKey(key)
  key.free, key.taken = key.free - 1, key.taken + 1
end

local function keepTaken(keys)
  for _, key in ipairs(keys) do
    if key.taken > 0 then
      takeCalls(key.calls, key.taken, key.pollsWait and key.calls.inARow + key.taken or 0)
    end
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
  redis.call('SADD', base .. 'slot-keys', key)
end
