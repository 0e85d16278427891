"""Lua scripts that put jobs on the clock and their queues, move them, and take them off, each in one step."""

# KEYS: clock, names of queues, queue. ARGV: the fields that are equal in all jobs (a JSON list: names and values of a
# hash), when the jobs were made, and the jobs (a JSON list of lists: id, second or empty for now, data, description). A
# failed job's hash expires, and would go on to.
SCHEDULE = """
local hash = cjson.decode(ARGV[1])
local shared = #hash
for _, job in ipairs(cjson.decode(ARGV[3])) do
  local id, second = job[1], job[2]
  local status = second == '' and 'queued' or 'scheduled'
  local own = {'created_at', ARGV[2], 'data', job[3], 'description', job[4], 'status', status}
  for field = 1, 8 do hash[shared + field] = own[field] end
  redis.call('HSET', 'rq:job:' .. id, unpack(hash))
  redis.call('PERSIST', 'rq:job:' .. id)
  if second == '' then
    redis.call('SADD', KEYS[2], KEYS[3])
    redis.call('RPUSH', KEYS[3], id)
    redis.call('ZREM', KEYS[1], id)
  else
    redis.call('ZADD', KEYS[1], second, id)
  end
end
return 1
"""

# KEYS: clock, names of queues. ARGV: second, then of each job: id, queue. Only what is still due and whole is moved:
# what was taken off the clock or put later since it was looked at stays so.
MOVE = """
local moved = 0
for job = 2, #ARGV, 2 do
  local id, queue = ARGV[job], ARGV[job + 1]
  local second = redis.call('ZSCORE', KEYS[1], id)
  if second and tonumber(second) <= tonumber(ARGV[1]) and redis.call('EXISTS', 'rq:job:' .. id) == 1 then
    redis.call('HSET', 'rq:job:' .. id, 'status', 'queued')
    redis.call('SADD', KEYS[2], queue)
    redis.call('RPUSH', queue, id)
    redis.call('ZREM', KEYS[1], id)
    moved = moved + 1
  end
end
return moved
"""

# KEYS: clock, queues. ARGV: ids of jobs. Only what was there is deleted: the hash of a job that a worker has just taken
# is the worker's. A queue is read only as far as the job stands, near its head where a batch leaves it. Where it
# stands twice, RQ skips the second, whose hash is gone.
UNSCHEDULE = """
local removed = 0
for _, id in ipairs(ARGV) do
  local found = redis.call('ZREM', KEYS[1], id)
  for queue = 2, #KEYS do found = found + redis.call('LREM', KEYS[queue], 1, id) end
  if found > 0 then
    redis.call('DEL', 'rq:job:' .. id)
    removed = removed + 1
  end
end
return removed
"""
