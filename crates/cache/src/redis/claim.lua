-- For each value: itself, if there is one that is true for longer than the one that was refused; else whether the caller
-- is the one to load it (1) or somebody else does (0).
-- KEYS: where each value is, and its lock. ARGV: the caller, how long a lock holds (ms), for each value what was refused.
local answers = {}
for i = 1, #KEYS, 2 do
  local refused = tonumber(ARGV[2 + (i + 1) / 2])
  local found = redis.call('GET', KEYS[i])
  if found and (tonumber(string.match(found, '^%d+')) or -1) > refused then
    answers[#answers + 1] = found
  elseif redis.call('SET', KEYS[i + 1], ARGV[1], 'NX', 'PX', ARGV[2]) then
    answers[#answers + 1] = 1
  else
    answers[#answers + 1] = 0
  end
end
return answers
