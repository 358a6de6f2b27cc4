--[[
  Takes a call of a key for what no avatar is due for, at the terms of a poll.

  a.key
  a.calls     terms, see callsOf

  Result: 0; or ms until there is a call, and then none was taken
]]
local calls = callsOf(a.key, a.calls, 1)
if calls.room == 0 then
  return math.max(1, waitMs(calls, 0))
end
takeCalls(calls, 1, calls.inARow)
return 0
