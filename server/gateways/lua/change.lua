-- Apply one administrative change that the database has already made; each once, and in its order.
-- KEYS  1 budget  2 quota  3 round  4 entitled
-- ARGV  epoch, version, then the change:
--   status STATUS | money DELTA_FEN | window OPENS_MS CLOSES_MS
--   entitle ENTERPRISE AMOUNT_FEN QUOTA_LEFT_FEN | bar ENTERPRISE
-- Reply 1 when applied, 0 when this is not the next version: then the state is rebuilt instead
local state = redis.call('HMGET', KEYS[1], 'epoch', 'version')
if state[1] ~= ARGV[1] or tonumber(state[2]) ~= tonumber(ARGV[2]) - 1 then return 0 end
if redis.call('HGET', KEYS[3], 'epoch') ~= ARGV[1] then return 0 end

local kind = ARGV[3]
if kind == 'status' then
  redis.call('HSET', KEYS[3], 'status', ARGV[4])
elseif kind == 'money' then
  redis.call('HINCRBY', KEYS[3], 'remaining_fen', ARGV[4])
elseif kind == 'window' then
  redis.call('HSET', KEYS[3], 'opens_ms', ARGV[4], 'closes_ms', ARGV[5])
elseif kind == 'entitle' then
  redis.call('HSET', KEYS[4], ARGV[4], ARGV[5])
  redis.call('HSET', KEYS[2], ARGV[4], ARGV[6])
  local smallest = tonumber(redis.call('HGET', KEYS[3], 'smallest_fen'))
  if smallest == 0 or tonumber(ARGV[5]) < smallest then redis.call('HSET', KEYS[3], 'smallest_fen', ARGV[5]) end
elseif kind == 'bar' then
  redis.call('HDEL', KEYS[4], ARGV[4])
else
  return 0
end
redis.call('HSET', KEYS[1], 'version', ARGV[2])
return 1
