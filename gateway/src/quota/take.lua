-- Debits all buckets, or none. KEYS: two for each bucket, its level and its leases. ARGV: the time, when the lease lapses,
-- the lease; then for each bucket its capacity and what it gains each millisecond; then for each the amount, and whether
-- it is leased. Answers the first bucket that holds too little, or 0, and what each holds.
local now, lapses, lease = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local count = #KEYS / 2
local levels, short = {}, 0
for i = 1, count do
  local bucket, leases = KEYS[2 * i - 1], KEYS[2 * i]
  local capacity, gain = tonumber(ARGV[2 + 2 * i]), tonumber(ARGV[3 + 2 * i])
  local amount = tonumber(ARGV[2 + 2 * count + 2 * i])
  local leased = ARGV[3 + 2 * count + 2 * i] == '1'
  local known = redis.call('HMGET', bucket, 'level', 'at')
  local level, at = tonumber(known[1]) or capacity, tonumber(known[2]) or now
  level = math.min(capacity, level + math.max(0, now - at) * gain)
  if leased then
    -- What a process took that is no more comes back.
    for _, lapsed in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now)) do
      level = math.min(capacity, level + tonumber(string.match(lapsed, ':(.*)$')))
      redis.call('ZREM', leases, lapsed)
    end
  end
  if level < amount and short == 0 then short = i end
  levels[i] = level
end
local answer = { string.format('%d', short) }
for i = 1, count do
  local bucket, leases = KEYS[2 * i - 1], KEYS[2 * i]
  local capacity, gain = tonumber(ARGV[2 + 2 * i]), tonumber(ARGV[3 + 2 * i])
  local amount = ARGV[2 + 2 * count + 2 * i]
  local leased = ARGV[3 + 2 * count + 2 * i] == '1'
  if short == 0 then
    levels[i] = levels[i] - tonumber(amount)
    if leased then redis.call('ZADD', leases, lapses, lease .. ':' .. amount) end
  end
  local at = math.max(now, tonumber(redis.call('HGET', bucket, 'at')) or now)
  redis.call('HSET', bucket, 'level', string.format('%.17g', levels[i]), 'at', string.format('%.0f', at))
  -- A bucket that is full again need not be remembered, nor one whose leases have all lapsed.
  if gain > 0 then
    local forget = math.max((capacity - levels[i]) / gain, lapses - now) + 60000
    forget = string.format('%.0f', math.min(forget, 1e15))
    redis.call('PEXPIRE', bucket, forget)
    redis.call('PEXPIRE', leases, forget)
  end
  answer[i + 1] = string.format('%.17g', levels[i])
end
return answer
