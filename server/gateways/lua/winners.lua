-- Who holds a voucher of a round, together with what decides whether the round is out, at one instant.
-- KEYS  1 round  2 holders  3 intents
-- Reply epoch, remaining_fen, smallest_fen, undecided, then the enterprises; NOSTATE when there is no round
local round = redis.call('HMGET', KEYS[1], 'epoch', 'remaining_fen', 'smallest_fen')
if not round[1] then return { 'NOSTATE' } end
local reply = { round[1], round[2], round[3], redis.call('XLEN', KEYS[3]) }
for _, enterprise in ipairs(redis.call('HKEYS', KEYS[2])) do reply[#reply + 1] = enterprise end
return reply
