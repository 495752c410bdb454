-- Admit the grabs of one moment to one round. Nothing is final here: the database decides.
-- KEYS  1 round  2 holders  3 entitled  4 quota  5 intents
-- ARGV  epoch, clock offset in ms, then for each grab: enterprise, person, grab key
-- Reply  NOSTATE | EPOCH epoch | OK now_ms remaining_fen smallest_fen undecided holders, then an answer a grab:
--   O|voucher|key  the enterprise's own voucher, and the key that won it
--   S|place        this very request is being decided      B  another request of the enterprise is
--   C closed   P paused   E|opens_ms too early   L too late   N not entitled   Q quota used   X sold out
--   W|place|amount_fen|position  admitted: the money is set aside, an intent is written
local round = redis.call('HMGET', KEYS[1], 'epoch', 'status', 'opens_ms', 'closes_ms', 'remaining_fen', 'smallest_fen')
if not round[1] then return { 'NOSTATE' } end
if round[1] ~= ARGV[1] then return { 'EPOCH', round[1] } end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(ARGV[2])
local opens, closes, remaining = tonumber(round[3]), tonumber(round[4]), tonumber(round[5])

local function answer(enterprise, person, key)
  -- The own result comes first: a winner who asks again at closing time is still a winner.
  local held = redis.call('HGET', KEYS[2], enterprise)
  if held then
    local kind, what, whose = string.match(held, '^(%a)|([^|]*)|(.*)$')
    if kind == 'G' then return 'O|' .. what .. '|' .. whose end
    if whose == key then return 'S|' .. what end
    return 'B'
  end
  if round[2] == 'paused' then return 'P' end
  if round[2] ~= 'scheduled' then return 'C' end
  if now < opens then return 'E|' .. round[3] end
  if now >= closes then return 'L' end
  local entitled = redis.call('HGET', KEYS[3], enterprise)
  if not entitled then return 'N' end
  local amount = tonumber(entitled)
  local quota = tonumber(redis.call('HGET', KEYS[4], enterprise) or '0')
  if quota < amount then return 'Q' end
  if remaining < amount then return 'X' end
  -- All is read and checked; a script is not rolled back, so writing begins only here.
  remaining = redis.call('HINCRBY', KEYS[1], 'remaining_fen', -amount)
  redis.call('HINCRBY', KEYS[4], enterprise, -amount)
  local place = redis.call('XADD', KEYS[5], '*', 'e', enterprise, 'p', person, 'a', entitled, 'k', key)
  redis.call('HSET', KEYS[2], enterprise, 'P|' .. place .. '|' .. key)
  local position = redis.call('HINCRBY', KEYS[1], 'admitted', 1)
  return 'W|' .. place .. '|' .. entitled .. '|' .. position
end

local reply = { 'OK', string.format('%.0f', now), 0, round[6], 0, 0 }
for i = 3, #ARGV, 3 do
  reply[#reply + 1] = answer(ARGV[i], ARGV[i + 1], ARGV[i + 2])
end
reply[3] = string.format('%.0f', remaining)
reply[5] = redis.call('XLEN', KEYS[5])
reply[6] = redis.call('HLEN', KEYS[2])
return reply
