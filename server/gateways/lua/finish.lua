-- Close the intents of decided grabs. Only the caller that takes an intent out acts on it, so that a
-- second finish of the same decision gives nothing back twice.
-- KEYS  1 round  2 holders  3 entitled  4 quota  5 intents
-- ARGV  epoch, then for each: place, enterprise, amount_fen, grab key, G granted | A already | R refused, voucher
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
local finished = 0
for i = 2, #ARGV, 6 do
  local place, enterprise, amount, key, verdict, voucher = unpack(ARGV, i, i + 5)
  if redis.call('XDEL', KEYS[5], place) == 1 then
    finished = finished + 1
    if verdict == 'G' then
      redis.call('HSET', KEYS[2], enterprise, 'G|' .. voucher .. '|' .. key)
    else
      redis.call('HINCRBY', KEYS[1], 'remaining_fen', amount)
      redis.call('HINCRBY', KEYS[4], enterprise, amount)
      if verdict == 'A' then
        redis.call('HSET', KEYS[2], enterprise, 'G|' .. voucher .. '|')
      else
        redis.call('HDEL', KEYS[2], enterprise)
      end
    end
  end
end
return finished
