--[[
  Reads a record. What is another caller's is as what is not there, and takes the same commands.

  a.id
  a.caller   who looks for it, or '' where it may be anyone's

  Result: {now, stored, how many are ahead in the queue}, `stored` nil where the record was lost or is in quarantine; nil where there is no
  such avatar. One that does not say whose it is is given out.
]]
local record = read(a.id)
local quarantined = redis.call('EXISTS', base .. 'corrupt:' .. a.id) == 1 and redis.pcall('GET', base .. 'corrupt:' .. a.id)
local lost = type(quarantined) == 'string' and parse(string.match(quarantined, '^%d+c? %S* (.*)$') or '')
local head = record and record.head or lost
local isAnothers = a.caller ~= '' and head and head.caller ~= a.caller
if isAnothers or not record and not quarantined then
  return false
end
return {now, record and record.stored or false, redis.call('ZRANK', base .. 'queue', a.id)}
