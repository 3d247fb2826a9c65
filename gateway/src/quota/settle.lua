-- Replaces a lease's debits by what was really used. KEYS: two for each bucket, its level and its leases. ARGV: the time,
-- what was used, the lease; then for each bucket its capacity and what it gains each millisecond; then for each the
-- amount, and whether it is leased. Answers what each holds.
local now, used, lease = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local count = #KEYS / 2
local answer = {}
for i = 1, count do
  local bucket, leases = KEYS[2 * i - 1], KEYS[2 * i]
  local capacity, gain = tonumber(ARGV[2 + 2 * i]), tonumber(ARGV[3 + 2 * i])
  local amount = ARGV[2 + 2 * count + 2 * i]
  local leased = ARGV[3 + 2 * count + 2 * i] == '1'
  local known = redis.call('HMGET', bucket, 'level', 'at')
  local level, at = tonumber(known[1]) or capacity, tonumber(known[2]) or now
  level = math.min(capacity, level + math.max(0, now - at) * gain)
  if leased then
    -- A lease that lapsed has been given back already.
    local held = redis.call('ZREM', leases, lease .. ':' .. amount) == 1
    level = level - used
    if held then level = level + tonumber(amount) end
    level = math.max(0, math.min(capacity, level))
    redis.call('HSET', bucket, 'level', string.format('%.17g', level), 'at', string.format('%.0f', math.max(now, at)))
    if gain > 0 and redis.call('PTTL', bucket) < 0 then
      redis.call('PEXPIRE', bucket, string.format('%.0f', math.min((capacity - level) / gain + 60000, 1e15)))
    end
  end
  answer[i] = string.format('%.17g', level)
end
return answer
