-- What gateways have spent and reserved together. One script a call, by Redis' own clock; all keys
-- lie in one slot. Each account is two keys: a hash
--   spent, used (spent and reserved), h:LEASE (what it holds), alerted (",0.5,0.8,")
-- and a sorted set of its leases by their ends, in milliseconds.
-- Amounts are whole nano-dollars and stay texts: Lua's numbers are exact up to nine million dollars
-- only. HINCRBY adds them in 64 bits, and `less` compares them.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Neither is negative, and neither has leading zeros.
local function less(a, b)
  if #a ~= #b then return #a < #b end
  return a < b
end

local function get(book, field)
  return redis.call('HGET', book, field) or '0'
end

local function add(book, field, amount)
  if amount ~= '0' then redis.call('HINCRBY', book, field, amount) end
end

local function take(book, field, amount)
  if amount ~= '0' then redis.call('HINCRBY', book, field, '-' .. amount) end
end

-- Ends a reservation; says whether there was one.
local function finish(book, leases, lease)
  local amount = redis.call('HGET', book, 'h:' .. lease)
  if not amount then return false end
  take(book, 'used', amount)
  redis.call('HDEL', book, 'h:' .. lease)
  redis.call('ZREM', leases, lease)
  return true
end

-- Ends what nobody has renewed, in pieces: one call must not pay for all that a dead gateway held.
local function lapse(book, leases)
  local gone = redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, 500)
  for _, lease in ipairs(gone) do finish(book, leases, lease) end
end

local function at_least(book, floor)
  local spent = get(book, 'spent')
  if less(spent, floor) then
    take(book, 'used', spent)
    redis.call('HSET', book, 'spent', floor)
    add(book, 'used', floor)
  end
end

local function expire(book, leases, moment)
  if moment ~= '0' then
    redis.call('EXPIREAT', book, moment)
    redis.call('EXPIREAT', leases, moment)
  end
end

local function tell(answer, book)
  table.insert(answer, get(book, 'spent'))
  table.insert(answer, get(book, 'used'))
  table.insert(answer, redis.call('HGET', book, 'alerted') or '')
end

local function hold(book, leases, lease, amount, for_ms)
  redis.call('HSET', book, 'h:' .. lease, amount)
  redis.call('ZADD', leases, now + for_ms, lease)
end

local verbs = {}

-- lease, for_ms; of each account: amount, limit ('-': none), floor, when to forget it
function verbs.reserve()
  local lease, for_ms = ARGV[2], tonumber(ARGV[3])
  local function over()
    local found = false
    for i = 1, #KEYS, 2 do
      local limit = ARGV[2 * i + 3]
      if limit ~= '-' and less(limit, get(KEYS[i], 'used')) then
        lapse(KEYS[i], KEYS[i + 1])
        found = found or less(limit, get(KEYS[i], 'used'))
      end
    end
    return found
  end
  for i = 1, #KEYS, 2 do
    finish(KEYS[i], KEYS[i + 1], lease)
    at_least(KEYS[i], ARGV[2 * i + 4])
    add(KEYS[i], 'used', ARGV[2 * i + 2])
  end
  local admitted = not over()
  local answer = { admitted and '1' or '0' }
  for i = 1, #KEYS, 2 do
    local amount = ARGV[2 * i + 2]
    if admitted then
      hold(KEYS[i], KEYS[i + 1], lease, amount, for_ms)
    else
      take(KEYS[i], 'used', amount)
    end
    expire(KEYS[i], KEYS[i + 1], ARGV[2 * i + 5])
    tell(answer, KEYS[i])
  end
  return answer
end

-- lease, again ('1'); of each account: amount, floor, when to forget it, how many thresholds, and
-- of each of them its share and amount
function verbs.settle()
  local lease, again = ARGV[2], ARGV[3] == '1'
  local answer, at = {}, 4
  for i = 1, #KEYS, 2 do
    local book = KEYS[i]
    at_least(book, ARGV[at + 1])
    if finish(book, KEYS[i + 1], lease) or not again then
      add(book, 'spent', ARGV[at])
      add(book, 'used', ARGV[at])
    end
    local spent, reached = get(book, 'spent'), ','
    local alerted = redis.call('HGET', book, 'alerted') or ','
    for t = at + 4, at + 2 + 2 * ARGV[at + 3], 2 do
      local share = ARGV[t]
      if not less(spent, ARGV[t + 1]) and not alerted:find(',' .. share .. ',', 1, true) then
        alerted, reached = alerted .. share .. ',', reached .. share .. ','
      end
    end
    if reached ~= ',' then redis.call('HSET', book, 'alerted', alerted) end
    expire(book, KEYS[i + 1], ARGV[at + 2])
    tell(answer, book)
    table.insert(answer, reached)
    at = at + 4 + 2 * ARGV[at + 3]
  end
  return answer
end

-- lease, its new name, for_ms
function verbs.keep()
  for i = 1, #KEYS, 2 do
    local amount = redis.call('HGET', KEYS[i], 'h:' .. ARGV[2])
    if amount then
      finish(KEYS[i], KEYS[i + 1], ARGV[2])
      finish(KEYS[i], KEYS[i + 1], ARGV[3])
      add(KEYS[i], 'used', amount)
      hold(KEYS[i], KEYS[i + 1], ARGV[3], amount, tonumber(ARGV[4]))
    end
  end
  return {}
end

-- for_ms; then the place of a sorted set among the keys, and a lease in it, again and again
function verbs.renew()
  local until_ms = now + tonumber(ARGV[2])
  for at = 3, #ARGV, 2 do
    redis.call('ZADD', KEYS[tonumber(ARGV[at])], 'XX', until_ms, ARGV[at + 1])
  end
  return {}
end

function verbs.read()
  local answer = {}
  for i = 1, #KEYS, 2 do
    lapse(KEYS[i], KEYS[i + 1])
    tell(answer, KEYS[i])
  end
  return answer
end

-- one key: budget, and what is said of it
function verbs.override()
  redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
  return {}
end

function verbs.overrides()
  return redis.call('HVALS', KEYS[1])
end

return verbs[ARGV[1]]()
