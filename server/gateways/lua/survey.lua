-- Look at one round as it stands, and at the intents that nobody finished in time.
-- KEYS  1 budget  2 round  3 holders  4 intents
-- ARGV  age in ms from which an intent counts as left over, how many of them at most
-- Reply {epoch, version, run id} of the budget (empty strings where missing), {epoch, status, remaining_fen,
--       smallest_fen} of the round, undecided, number of holders, left-over intents as XRANGE gives them
local function present(values)
  for i = 1, #values do values[i] = values[i] or '' end
  return values
end
local budget = present(redis.call('HMGET', KEYS[1], 'epoch', 'version', 'run_id'))
local round = present(redis.call('HMGET', KEYS[2], 'epoch', 'status', 'remaining_fen', 'smallest_fen'))
local time = redis.call('TIME')
local newest = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) - tonumber(ARGV[1])
local left = redis.call('XRANGE', KEYS[4], '-', string.format('%.0f', newest), 'COUNT', ARGV[2])
return { budget, round, redis.call('XLEN', KEYS[4]), redis.call('HLEN', KEYS[3]), left }
