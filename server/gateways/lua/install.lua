-- Put a budget's state, as the database has it, in place of whatever is here, if it is newer.
-- KEYS  1 budget  2 quota, then for each round: round, holders, entitled, intents
-- ARGV  epoch, version, run id, count, {enterprise, quota left}*, then for each round: status, opens_ms,
--       closes_ms, remaining_fen, smallest_fen, count, {enterprise, amount_fen}*, count, {enterprise, voucher, key}*
-- Reply the epoch that stands here afterwards
local present = redis.call('HGET', KEYS[1], 'epoch')
if present and tonumber(present) >= tonumber(ARGV[1]) then return present end

local at = 4
local function take()
  at = at + 1
  return ARGV[at - 1]
end

redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'version', ARGV[2], 'run_id', ARGV[3])
for _ = 1, tonumber(take()) do
  redis.call('HSET', KEYS[2], take(), take())
end
for k = 3, #KEYS, 4 do
  local round, holders, entitled, intents = KEYS[k], KEYS[k + 1], KEYS[k + 2], KEYS[k + 3]
  redis.call('DEL', round, holders, entitled, intents)
  redis.call('HSET', round, 'epoch', ARGV[1], 'status', take(), 'opens_ms', take(), 'closes_ms', take(),
    'remaining_fen', take(), 'smallest_fen', take(), 'admitted', 0)
  for _ = 1, tonumber(take()) do
    redis.call('HSET', entitled, take(), take())
  end
  for _ = 1, tonumber(take()) do
    local enterprise, voucher, key = take(), take(), take()
    redis.call('HSET', holders, enterprise, 'G|' .. voucher .. '|' .. key)
  end
end
return ARGV[1]
