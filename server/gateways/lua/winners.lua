-- Who holds a voucher of a round and who is entitled to one, together with what decides whether the round
-- is out, at one instant.
-- KEYS  1 round  2 holders  3 entitled  4 intents
-- Reply epoch, remaining_fen, smallest_fen, undecided, number of holders, the holders, the entitled;
--       NOSTATE when there is no round
local round = redis.call('HMGET', KEYS[1], 'epoch', 'remaining_fen', 'smallest_fen')
if not round[1] then return { 'NOSTATE' } end
local holders = redis.call('HKEYS', KEYS[2])
local reply = { round[1], round[2], round[3], redis.call('XLEN', KEYS[4]), #holders }
for _, enterprise in ipairs(holders) do reply[#reply + 1] = enterprise end
for _, enterprise in ipairs(redis.call('HKEYS', KEYS[3])) do reply[#reply + 1] = enterprise end
return reply
