-- Writes: a replica answers a PING, too. Passes where Redis is full, since all but new avatars does.
redis.call('SET', base .. 'ping', '', 'PX', 60000)
return 1
