-- Grants permits to send, where there is room under the overall limit and the domain's. See rate.rs for why this holds.
-- KEYS: the overall log, then for each mail its domain's log (the same one may come again).
-- ARGV: overall most, overall window, domain most, domain window (most 0: no limit; windows in microseconds),
--       how long a permit is held at most, then for each mail the name of its permit.
-- Answers: the wait in microseconds until the first of those that the overall limit refuses may be granted, then for each
--       mail 1 (granted), 0 (refused by the overall limit) or minus its wait (refused by its domain's limit alone).
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local overall = { key = KEYS[1], most = tonumber(ARGV[1]), window = tonumber(ARGV[2]) }
local domain_most, domain_window = tonumber(ARGV[3]), tonumber(ARGV[4])
local held = tonumber(ARGV[5])

local function exact(number)
  return string.format('%.0f', number)
end

-- The limit may have been changed since permits were counted: each counts as though the new one had held then. The window
-- that a log goes by is kept beside it.
local function agree(log)
  local before = tonumber(redis.call('GET', log.key .. ':window') or log.window)
  if before == log.window then
    return
  end
  local counted = redis.call('ZRANGE', log.key, 0, -1, 'WITHSCORES')
  local leaves = now
  for n = 1, #counted, 2 do
    leaves = tonumber(counted[n + 1]) + log.window - before
    redis.call('ZADD', log.key, exact(leaves), counted[n])
  end
  local expires = math.max(math.ceil((leaves - now) / 1000), 0) + 1000
  redis.call('PEXPIRE', log.key, exact(expires))
  redis.call('SET', log.key .. ':window', exact(log.window), 'PX', exact(expires))
end

-- Looks at a log once per call: forgets what is no longer counted, counts the rest.
local function open(log)
  if log.most > 0 then
    agree(log)
    redis.call('ZREMRANGEBYSCORE', log.key, '-inf', exact(now))
    log.counted = redis.call('ZCARD', log.key)
  end
  return log
end

-- 0 where there is room, else the time after which there may be.
local function wait_for(log)
  if log.most == 0 or log.counted < log.most then
    return 0
  end
  local first = redis.call('ZRANGE', log.key, 0, 0, 'WITHSCORES')
  return math.min(tonumber(first[2]) - now, log.window)
end

local function count(log, permit, leaves)
  if log.most > 0 then
    redis.call('ZADD', log.key, exact(leaves), permit)
    redis.call('PEXPIREAT', log.key, exact(math.ceil(leaves / 1000) + 1000))
    redis.call('SET', log.key .. ':window', exact(log.window), 'PX', exact(math.ceil((leaves - now) / 1000) + 1000))
    log.counted = log.counted + 1
  end
end

open(overall)
local logs, answer, soonest = {}, { 0 }, nil
local leaves = now + held + math.max(overall.window, domain_window)
for mail = 2, #KEYS do
  local key = KEYS[mail]
  local log = logs[key] or open({ key = key, most = domain_most, window = domain_window })
  logs[key] = log
  local overall_wait, domain_wait = wait_for(overall), wait_for(log)
  if overall_wait > 0 then
    local wait = math.max(overall_wait, domain_wait)
    soonest = math.min(soonest or wait, wait)
    answer[mail] = 0
  elseif domain_wait > 0 then
    answer[mail] = -domain_wait
  else
    count(overall, ARGV[mail + 4], leaves)
    count(log, ARGV[mail + 4], leaves)
    answer[mail] = 1
  end
end
answer[1] = soonest or 0
return answer
