--[[
  Takes avatars that are due in an index, longest due first: a new version each, and due again when the lease ends. A record of a
  newer schema is put off as long, and not touched. What cannot be read is returned as it is, and left where it is.

  a.key       the due index: that of a key, or '' for the common one
  a.ids       JSON: which to take first, as far as they are due; '' for those that are due longest
  a.limit
  a.lease     in ms
  a.overdue   only what has been due for so long, in ms
  a.calls     terms, see callsOf; '' where they need no call
  a.slots     how many slots the key has for submits now

  Result: {now, ms until a call may be had for more, 0 with outdated terms, -1 where it is no call that is missing, {{id, stored}, ...}}
]]
local limit, last = tonumber(a.limit), now - a.overdue
local index = dueIndex(a.key)
local ids = a.ids ~= '' and cjson.decode(a.ids) or redis.call('ZRANGE', index, '-inf', last, 'BYSCORE', 'LIMIT', 0, limit)
local calls, most = nil, limit
if a.calls ~= '' then
  -- One of a burst is left to submits, and while one waits, polls have every fifth call, and those that nobody used.
  calls = callsOf(a.key, a.calls, 1)
  local slots = tonumber(a.slots)
  if slots > 0 and redis.call('ZCARD', base .. 'queue') > 0 and slotsHeld(a.key) < slots then
    calls.share = (calls.inARow >= MOST_IN_A_ROW or calls.used == 0) and 1 or 0
  end
  most = math.min(limit, calls.room, calls.share)
end

local rows, taken, wait = {}, 0, -1
for _, id in ipairs(ids) do
  local due = redis.call('ZSCORE', index, id)
  if due and tonumber(due) <= last then
    local record = read(id)
    if not record or not record.head then
      rows[#rows + 1] = {id, record and record.stored or false}
    elseif record.isNewer then
      redis.call('ZADD', index, now + a.lease, id)
    elseif taken < most then
      record.version, record.isClaimed = record.version + 1, true
      write(id, record)
      redis.call('ZADD', index, now + a.lease, id)
      rows[#rows + 1] = {id, record.stored}
      taken = taken + 1
    else
      wait = taken < limit and 0 or -1
      break
    end
  end
end
if calls then
  takeCalls(calls, taken, 0)
  wait = wait == 0 and waitMs(calls, taken) or -1
end
return {now, wait, rows}
