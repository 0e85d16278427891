"""Lua scripts for atomic steps. Numbers are returned as text or integers, since Redis truncates fractions."""

# Evenly spaced slots, and never more calls in flight or within a second of their response than allowed. KEYS: next
# turn, learned rate, calls. ARGV: rate, share, slowest rate, caller or nothing, longest call in seconds.
TAKE_TURN = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local allowed = tonumber(redis.call('GET', KEYS[2]) or ARGV[1])
local most = math.max(math.floor(allowed), 1)
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', now))
local calls = redis.call('ZRANGE', KEYS[3], -most, -most, 'WITHSCORES')
if calls[2] then
  local over = tonumber(calls[2])
  if over > now + 1000000 then over = now + 50000 end
  due = math.max(due, over)
end
if due > now or ARGV[4] == '' then return due - now end
local interval = math.ceil(1000000 / math.max(allowed * ARGV[2], tonumber(ARGV[3])))
redis.call('SET', KEYS[1], string.format('%.0f', now + interval), 'PX', math.ceil(interval / 1000) + 1000)
redis.call('ZADD', KEYS[3], string.format('%.0f', now + ARGV[5] * 1000000), ARGV[4])
redis.call('EXPIRE', KEYS[3], ARGV[5] + 1)
return 0
"""

# KEYS: calls. ARGV: caller.
TURN_OVER = """
local clock = redis.call('TIME')
local over = string.format('%.0f', clock[1] * 1000000 + clock[2] + 1000000)
return redis.call('ZADD', KEYS[1], 'XX', over, ARGV[1])
"""

# KEYS: pause. ARGV: kind, reason, now, seconds, remembered. The longest pause wins.
PAUSE = """
local ends = ARGV[3] + ARGV[4]
if tonumber(redis.call('HGET', KEYS[1], 'until') or 0) >= ends then return 0 end
if redis.call('HGET', KEYS[1], 'kind') ~= ARGV[1] then redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], 'kind', ARGV[1], 'reason', ARGV[2], 'until', string.format('%.3f', ends))
redis.call('HDEL', KEYS[1], 'probe')
redis.call('EXPIRE', KEYS[1], math.ceil(ARGV[4] + ARGV[5]))
return 1
"""

# KEYS: pause. ARGV: kind, reason, now, first delay, longest delay, remembered. Returns when the pause ends.
BACK_OFF = """
local ends = redis.call('HGET', KEYS[1], 'until')
if ends and tonumber(ends) > tonumber(ARGV[3]) then return ends end
if redis.call('HGET', KEYS[1], 'kind') ~= ARGV[1] then redis.call('DEL', KEYS[1]) end
local level = redis.call('HINCRBY', KEYS[1], 'level', 1) - 1
local delay = math.min(ARGV[4] * 2 ^ level, tonumber(ARGV[5]))
ends = string.format('%.3f', ARGV[3] + delay)
redis.call('HSET', KEYS[1], 'kind', ARGV[1], 'reason', ARGV[2], 'until', ends)
redis.call('HDEL', KEYS[1], 'probe')
redis.call('EXPIRE', KEYS[1], math.ceil(delay + ARGV[6]))
return ends
"""

# KEYS: pause. ARGV: the kind of pause that stays.
CLEAR = """
if redis.call('HGET', KEYS[1], 'kind') == ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""

# KEYS: pause. ARGV: now, seconds between probes.
MAY_PROBE = """
local ends = redis.call('HGET', KEYS[1], 'until')
if not ends then return 1 end
local free = math.max(tonumber(ends), tonumber(redis.call('HGET', KEYS[1], 'probe') or 0))
if tonumber(ARGV[1]) < free then return 0 end
redis.call('HSET', KEYS[1], 'probe', string.format('%.3f', ARGV[1] + ARGV[2]))
return 1
"""

# KEYS: lock. ARGV: owner, milliseconds. Takes a free lock or renews the owner's; says whether it is the owner's now.
OWN_LOCK = """
local owner = redis.call('GET', KEYS[1])
if owner == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
return 0
"""

# KEYS: the sign. ARGV: seconds. Redis works where it runs a script that writes, since all else here does.
WRITE_SIGN = """
redis.call('SET', KEYS[1], '1', 'EX', ARGV[1])
return 1
"""

# KEYS: lock. ARGV: owner.
RELEASE_LOCK = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""

# KEYS: budget. ARGV: most calls a second, low?, seconds of calm, growth, remembered. Returns microseconds, outage.
NOTION_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local known = redis.call('HMGET', KEYS[1], 'rate', 'began', 'used', 'held', 'wanted', 'changed', 'outage')
local most, outage = tonumber(ARGV[1]), tonumber(known[7] or 0)
local held = tonumber(known[4] or 0)
if held > now then return {held - now, outage} end
redis.call('EXPIRE', KEYS[1], ARGV[5])
local rate = math.min(tonumber(known[1] or most), most)
if rate < most and now - tonumber(known[6] or 0) > ARGV[3] * 1000000 then
  rate = math.min(rate * ARGV[4], most)
  redis.call('HSET', KEYS[1], 'rate', string.format('%.4f', rate), 'changed', string.format('%.0f', now))
end
local budget = math.max(math.floor(rate), 1)
local window = budget / rate * 1000000
local began, used = tonumber(known[2] or 0), tonumber(known[3] or 0)
if now >= began + window then began, used = now, 0 end
local wait = math.ceil(began + window - now)
if ARGV[2] == '1' and tonumber(known[5] or 0) > now then return {wait, outage} end
if used < budget then
  redis.call('HSET', KEYS[1], 'began', string.format('%.0f', began), 'used', used + 1)
  if ARGV[2] == '0' then redis.call('HDEL', KEYS[1], 'wanted') end
  return {0, outage}
end
if ARGV[2] == '0' then redis.call('HSET', KEYS[1], 'wanted', string.format('%.0f', now + 2 * window)) end
return {wait, outage}
"""

# KEYS: budget. ARGV: most calls a second, seconds to hold, slowest rate, remembered.
NOTION_REFUSED = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local held = tonumber(redis.call('HGET', KEYS[1], 'held') or 0)
if held <= now then
  local rate = math.min(tonumber(redis.call('HGET', KEYS[1], 'rate') or ARGV[1]), tonumber(ARGV[1]))
  rate = math.max(rate / 2, tonumber(ARGV[3]))
  redis.call('HSET', KEYS[1], 'rate', string.format('%.4f', rate), 'changed', string.format('%.0f', now))
end
redis.call('HSET', KEYS[1], 'held', string.format('%.0f', math.max(held, now + ARGV[2] * 1000000)))
redis.call('EXPIRE', KEYS[1], math.ceil(ARGV[2] + ARGV[4]))
return 1
"""

# KEYS: budget. ARGV: longest hold in seconds, remembered.
NOTION_AWAY = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
if tonumber(redis.call('HGET', KEYS[1], 'held') or 0) > now then return 0 end
local outage = redis.call('HINCRBY', KEYS[1], 'outage', 1)
local hold = math.min(2 ^ outage, tonumber(ARGV[1]))
redis.call('HSET', KEYS[1], 'held', string.format('%.0f', now + hold * 1000000))
redis.call('EXPIRE', KEYS[1], math.ceil(hold + ARGV[2]))
return 1
"""
