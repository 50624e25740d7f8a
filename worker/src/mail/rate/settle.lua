-- Notes what became of permits: used now at the latest (counted for a window from now), or not at all.
-- KEYS: the overall log, then for each permit its domain's log.
-- ARGV: overall most, overall window, domain most, domain window (as in acquire.lua), then for each permit its name and
--       1 for used or 0 for given back.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

local function note(key, most, window, permit, used)
  if most == 0 then
    return
  end
  if used == '0' then
    redis.call('ZREM', key, permit)
    return
  end
  -- The log goes by the window that was last asked for, which may be another one by now.
  local leaves = now + tonumber(redis.call('GET', key .. ':window') or window)
  redis.call('ZADD', key, string.format('%.0f', leaves), permit)
  -- The key outlives its permits: one that is still held may be the last to leave.
  local expires = math.ceil(leaves / 1000) + 1000
  if redis.call('PTTL', key) < expires - math.floor(now / 1000) then
    redis.call('PEXPIREAT', key, string.format('%.0f', expires))
  end
end

for n = 2, #KEYS do
  local permit, used = ARGV[2 * n + 1], ARGV[2 * n + 2]
  note(KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), permit, used)
  note(KEYS[n], tonumber(ARGV[3]), tonumber(ARGV[4]), permit, used)
end
