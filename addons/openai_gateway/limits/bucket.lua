-- One question about all limits of a call, answered in one step: the twin of bucket.py.
-- KEYS: a bucket each. ARGV: the question, the lease, LEASE_US, then for each key its period in
-- microseconds (0: places of concurrency), its limit, and what is asked of it.
-- Answers: admitted (1 or 0), the time's seconds and microseconds, then two numbers a key: used
-- tokens, whole and rest (in 1/period of a token); or places held in all, and by other calls.
--
-- Numbers are exact up to 2^53 only. So a product of an amount and a time is never formed: it is
-- divided by the period digit by digit, as on paper.

local STEP_US = 1000000     -- bucket.py's
local GRACE_MS = 60000      -- a clock set back by less finds its buckets still there
local LONGEST_MS = 1e15     -- what SET takes as an expiry, with room to spare
local DIGIT = 16384         -- times a day in microseconds is below 2^53
local DIGITS = 4

local question, lease, lease_us = ARGV[1], ARGV[2], tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local writes = question ~= 'peek'

local function text(number) return string.format('%.0f', number) end

-- amount * elapsed / period, as whole and rest
local function drained(amount, elapsed, period)
  local periods = math.floor(elapsed / period)
  elapsed = elapsed - periods * period
  local digits = {}
  local left = amount
  for place = DIGITS, 1, -1 do
    digits[place] = left % DIGIT
    left = math.floor(left / DIGIT)
  end
  local whole, rest = 0, 0
  for place = 1, DIGITS do
    rest = rest * DIGIT + digits[place] * elapsed
    local more = math.floor(rest / period)
    whole = whole * DIGIT + more
    rest = rest - more * period
  end
  return whole + periods * amount, rest
end

-- bucket.py's scaled(), in the same steps
local function scale(bucket, old)
  local share = (bucket.whole + bucket.rest / bucket.period) * bucket.amount / old
  bucket.whole = math.floor(share)
  bucket.rest = math.floor((share - bucket.whole) * bucket.period)
end

local function drain(bucket, elapsed)
  local whole, rest = drained(bucket.amount, elapsed, bucket.period)
  bucket.whole, bucket.rest = bucket.whole - whole, bucket.rest - rest
  if bucket.rest < 0 then
    bucket.whole, bucket.rest = bucket.whole - 1, bucket.rest + bucket.period
  end
  if bucket.whole < 0 then
    bucket.whole, bucket.rest = 0, 0
  end
end

local function settled(key, period, amount)
  local bucket = {key = key, period = period, amount = amount, whole = 0, rest = 0, at = now}
  local kept = redis.call('GET', key)
  if not kept then
    return bucket
  end
  local whole, rest, at, old = string.match(kept, '^(%d+) (%d+) (%d+) (%d+)$')
  if not old then
    return bucket
  end
  bucket.whole, bucket.rest, bucket.at = tonumber(whole), tonumber(rest), tonumber(at)
  bucket.kept = true
  if tonumber(old) ~= amount then
    scale(bucket, tonumber(old))
  end
  local elapsed = now - bucket.at
  if elapsed > 0 then
    drain(bucket, elapsed)
    bucket.at = now
  elseif elapsed < -STEP_US then
    bucket.at = now
  end
  return bucket
end

local function fits(bucket, asked)
  local used = bucket.whole + asked
  return asked == 0 or used < bucket.amount or (used == bucket.amount and bucket.rest == 0)
end

local function take(bucket, asked)
  bucket.whole = bucket.whole + asked
  if bucket.whole < 0 then
    bucket.whole, bucket.rest = 0, 0
  end
end

-- A refusal writes too: the time that has passed, so that memory and this round alike.
local function keep(bucket)
  if bucket.whole == 0 and bucket.rest == 0 then
    if bucket.kept then redis.call('DEL', bucket.key) end
    return
  end
  local full_ms = math.ceil((bucket.whole + 1) / bucket.amount * bucket.period / 1000)
  full_ms = math.min(full_ms, LONGEST_MS)
  local value = table.concat(
    {text(bucket.whole), text(bucket.rest), text(bucket.at), text(bucket.amount)}, ' ')
  redis.call('SET', bucket.key, value, 'PX', text(full_ms + GRACE_MS))
end

-- No lease outlasts LEASE_S, also where the clock was set back under it.
local function shorten(key)
  for _, late in ipairs(redis.call('ZRANGEBYSCORE', key, text(now + lease_us + 1), '+inf')) do
    redis.call('ZADD', key, text(now + lease_us), late)
  end
end

local function places(key, amount)
  if writes then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', text(now))
    shorten(key)
  end
  local held = redis.call('ZCOUNT', key, '(' .. text(now), '+inf')
  local mine = tonumber(redis.call('ZSCORE', key, lease) or 0) > now
  return {key = key, amount = amount, held = held, others = mine and held - 1 or held}
end

local function hold(bucket)
  redis.call('ZADD', bucket.key, text(now + lease_us), lease)
  redis.call('PEXPIRE', bucket.key, text(lease_us / 1000 + GRACE_MS))
  bucket.held = bucket.others + 1
end

local buckets, asked = {}, {}
local admitted = true
for i, key in ipairs(KEYS) do
  local period, amount = tonumber(ARGV[i * 3 + 1]), tonumber(ARGV[i * 3 + 2])
  asked[i] = tonumber(ARGV[i * 3 + 3])
  if period > 0 then
    buckets[i] = settled(key, period, amount)
    admitted = admitted and fits(buckets[i], asked[i])
  else
    buckets[i] = places(key, amount)
    admitted = admitted and (asked[i] == 0 or buckets[i].others + asked[i] <= amount)
  end
end

local answer = {admitted and 1 or 0, tonumber(time[1]), tonumber(time[2])}
for i, bucket in ipairs(buckets) do
  if bucket.period then
    if question == 'adjust' or (question == 'take' and admitted) then
      take(bucket, asked[i])
    end
    if writes then keep(bucket) end
    answer[i * 2 + 2], answer[i * 2 + 3] = bucket.whole, bucket.rest
  else
    if question == 'renew' or (question == 'take' and admitted and asked[i] > 0) then
      hold(bucket)
    elseif question == 'release' then
      redis.call('ZREM', bucket.key, lease)
    end
    answer[i * 2 + 2], answer[i * 2 + 3] = bucket.held, bucket.others
  end
end
return answer
