-- Keeps each value, unless there is one that is true for longer, and lets go of the caller's locks.
-- KEYS: where each value is, and its lock. ARGV: the caller; for each value its position, how long it is kept (ms; 0 for
-- a lock alone) and itself.
for i = 1, #KEYS, 2 do
  local at = 2 + (i - 1) / 2 * 3
  if tonumber(ARGV[at + 1]) > 0 then
    local found = string.match(redis.call('GETRANGE', KEYS[i], 0, 20), '^%d+')
    if not found or tonumber(found) <= tonumber(ARGV[at]) then
      redis.call('SET', KEYS[i], ARGV[at + 2], 'PX', ARGV[at + 1])
    end
  end
  if redis.call('GET', KEYS[i + 1]) == ARGV[1] then
    redis.call('DEL', KEYS[i + 1])
  end
end
return redis.status_reply('OK')
