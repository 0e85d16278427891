"""What Redis must do in one step, as Lua. Numbers leave as text or whole numbers, since Redis cuts off fractions."""

# Generic cell rate algorithm without bursts. KEYS: next slot, learned rate. ARGV: rate, share, slowest rate, take?
TAKE_SLOT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
if due > now or ARGV[4] == '0' then return due - now end
local rate = math.max(tonumber(redis.call('GET', KEYS[2]) or ARGV[1]) * ARGV[2], tonumber(ARGV[3]))
local interval = math.ceil(1000000 / rate)
redis.call('SET', KEYS[1], string.format('%.0f', now + interval), 'PX', math.ceil(interval / 1000) + 1000)
return 0
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

# KEYS: lock. ARGV: owner.
RELEASE_LOCK = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""
