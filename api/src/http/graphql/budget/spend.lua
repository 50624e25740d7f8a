-- Pays for an operation, if the budget has room for it. See budget.rs for what holds.
-- KEYS: what the payer has spent, by second.
-- ARGV: the budget, the cost, for how many seconds a cost counts.
-- Answers: 1 when it was paid for, what remains, seconds until all of it is there again, seconds until there is room.
local now = tonumber(redis.call('TIME')[1])
local limit, cost, counted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local entries = redis.call('HGETALL', KEYS[1])
local spent, latest, seconds = 0, 0, {}
for n = 1, #entries, 2 do
  local second, of_it = tonumber(entries[n]), tonumber(entries[n + 1])
  if second <= now - counted then
    redis.call('HDEL', KEYS[1], entries[n])
  else
    spent = spent + of_it
    latest = math.max(latest, second)
    seconds[#seconds + 1] = { second, of_it }
  end
end

if spent + cost <= limit then
  if cost > 0 then
    -- A clock that was put back counts on from where it was.
    latest = math.max(latest, now)
    redis.call('HINCRBY', KEYS[1], string.format('%d', latest), cost)
    redis.call('EXPIRE', KEYS[1], latest - now + counted + 1)
  end
  return { 1, limit - spent - cost, math.max(latest + counted - now, 0), 0 }
end

table.sort(seconds, function(one, other) return one[1] < other[1] end)
local left, wait = spent, counted
for _, entry in ipairs(seconds) do
  left = left - entry[2]
  if left + cost <= limit then
    wait = entry[1] + counted - now
    break
  end
end
-- The budget may have been made smaller since.
return { 0, math.max(limit - spent, 0), latest + counted - now, wait }
