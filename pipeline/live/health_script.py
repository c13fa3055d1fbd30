"""The decisions of `pipeline/live/local_health.py` as scripts, atomic in Redis and by its own clock.

Per account a hash (breaker, rest, window) and a sorted set of leases by when they end; one more sorted set of all
leases, and one of those who wait for a place. Keys expire by themselves. A lease begins with the time it was given at,
and is kept by the name that follows: so who was given one and was not told knows how to give it back.
"""

from typing import Final

from pipeline.live.local_health import DOUBLINGS, SLOTS

PREFIX: Final = "gradeline:health:"
UNDER_WAY: Final = PREFIX + "under_way"
WAITING: Final = PREFIX + "waiting"

CLOCK: Final = """
local function clock()
    local time = redis.call('TIME')
    return time[1] * 1000 + math.floor(time[2] / 1000)
end
"""

NAMES: Final = f"""
local SLOTS, DOUBLINGS = {SLOTS}, {DOUBLINGS}
local UNDER_WAY, WAITING = '{UNDER_WAY}', '{WAITING}'
local function state_of(account) return '{PREFIX}account:' .. account end
local function leases_of(account) return '{PREFIX}under_way:' .. account end
"""

SHARED: Final = """
local now = clock()
redis.call('ZREMRANGEBYSCORE', UNDER_WAY, '-inf', now)
local function sweep(account) redis.call('ZREMRANGEBYSCORE', leases_of(account), '-inf', now) end

local function name_of(lease) return string.match(lease, '^%d+-(.+)$') end

local function take(account, name, lease_ms)
    for _, key in ipairs({leases_of(account), UNDER_WAY}) do
        redis.call('ZADD', key, now + lease_ms, name)
        redis.call('PEXPIRE', key, 2 * lease_ms)
    end
end

local FIELDS = {}
for i = 0, SLOTS - 1 do FIELDS[i + 1] = 'slot' .. i end

local function counted(state, newest)
    local calls, failures = 0, 0
    for _, entry in ipairs(redis.call('HMGET', state, unpack(FIELDS))) do
        local slot, c, f = string.match(entry or '', '(%d+) (%d+) (%d+)')
        local age = slot and newest - tonumber(slot)
        if age and age >= 0 and age < SLOTS then calls, failures = calls + c, failures + f end
    end
    return calls, failures
end
"""

# ARGV: a lease's ms, all places, ms a turn is kept, who asks, how long a state is kept, the longest a breaker is open
# and the longest rest; then per request its account, the account's places and the lease's name. Answers per request:
# what, the lease, ms until it may be asked again.
ADMIT: Final = """
local lease_ms, places, turn_ms = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local asker, keep_ms = ARGV[4], ARGV[5]
local open_cap, longest = tonumber(ARGV[6]), tonumber(ARGV[7])

-- A clock that was set back must not make anything last longer than it may: what ends later than that, ends then.
local function bound_leases(key)
    for _, name in ipairs(redis.call('ZRANGE', key, '(' .. now + lease_ms, '+inf', 'BYSCORE')) do
        redis.call('ZADD', key, now + lease_ms, name)
    end
end

local function bounded(state, field, ends, most)
    if not ends or ends <= most then return ends end
    redis.call('HSET', state, field, most, 'since', now)
    return most
end

local function turns()
    redis.call('ZREMRANGEBYSCORE', WAITING, '-inf', now)
    local all = redis.call('ZRANGE', WAITING, 0, -1)
    table.sort(all)
    return all
end

local function parts(turn) return string.match(turn, '^(%d+)|([^|]+)|(%d+)|(.+)$') end

local function own(all, account)
    for _, turn in ipairs(all) do
        local _, who, _, what = parts(turn)
        if who == asker and what == account then return turn end
    end
end

local function has_room(account, limit, all, mine)
    local taken = {}
    local function free(name, most) return most - redis.call('ZCARD', leases_of(name)) - (taken[name] or 0) > 0 end
    local left = places - redis.call('ZCARD', UNDER_WAY)
    for _, turn in ipairs(all) do
        if turn == mine then break end
        local _, _, most, name = parts(turn)
        sweep(name)
        if left > 0 and free(name, tonumber(most)) then
            left = left - 1
            taken[name] = (taken[name] or 0) + 1
        end
    end
    return left > 0 and free(account, limit)
end

local function admit(account, limit, name)
    local state, leases = state_of(account), leases_of(account)
    local all = turns()
    local mine = own(all, account)
    local known = redis.call('HMGET', state, 'open_until', 'cooling_until', 'probe')
    local open_until = bounded(state, 'open_until', tonumber(known[1]), now + open_cap)
    local cooling_until = bounded(state, 'cooling_until', tonumber(known[2]), now + longest) or 0
    local ends = open_until and known[3] and tonumber(redis.call('ZSCORE', leases, known[3]) or nil)
    local held = nil
    if open_until and now < open_until then held = {'open', '', open_until - now}
    elseif now < cooling_until then held = {'cooling', '', cooling_until - now}
    elseif ends then held = {'open', '', ends - now}
    elseif not has_room(account, limit, all, mine) then
        local turn = mine or string.format('%d|%s|%d|%s', now, asker, limit, account)
        redis.call('ZADD', WAITING, now + turn_ms, turn)
        redis.call('PEXPIRE', WAITING, 2 * turn_ms)
        return {'full', '', 0}
    end
    if mine then redis.call('ZREM', WAITING, mine) end
    if held then return held end
    local lease = string.format('%d-%s', now, name)
    take(account, name, lease_ms)
    if not open_until then return {'place', lease, 0} end
    redis.call('HSET', state, 'probe', name)
    redis.call('PEXPIRE', state, keep_ms)
    return {'probe', lease, 0}
end

local answers = {}
bound_leases(UNDER_WAY)
for i = 8, #ARGV, 3 do
    sweep(ARGV[i])
    bound_leases(leases_of(ARGV[i]))
    local answer = admit(ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2])
    for j = 1, 3 do answers[#answers + 1] = answer[j] end
end
return answers
"""

# ARGV: a lease's ms; then per lease its account and itself.
RENEW: Final = """
for i = 2, #ARGV, 2 do take(ARGV[i], name_of(ARGV[i + 1]), tonumber(ARGV[1])) end
"""

# ARGV: a slot's ms, least calls, failure rate; first and longest ms of being open; first, longest own and longest
# ms of a rest; how long a state is kept; then per request its account, lease, verdict, ms of rest ('' for none) and a
# random draw. Answers per request what it did to the breaker, and for how many ms.
RELEASE: Final = """
local slot_ms, least, rate = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local open_ms, open_cap = tonumber(ARGV[4]), tonumber(ARGV[5])
local rest_ms, rest_cap, longest = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local keep_ms = ARGV[9]

local function doubled(first, cap, times, draw)
    return math.floor(math.min(cap, first * 2 ^ (times - 1)) * (0.5 + draw / 2))
end

local function count(state, newest, failed)
    local field = 'slot' .. newest % SLOTS
    local slot, calls, failures = string.match(redis.call('HGET', state, field) or '', '(%d+) (%d+) (%d+)')
    if tonumber(slot or -1) ~= newest then calls, failures = 0, 0 end
    redis.call('HSET', state, field, string.format('%d %d %d', newest, calls + 1, failures + failed))
    return counted(state, newest)
end

local function open(state, openings, draw)
    openings = math.min(openings + 1, DOUBLINGS)
    local lasts = doubled(open_ms, open_cap, openings, draw)
    redis.call('HSET', state, 'openings', openings, 'open_until', now + lasts, 'since', now)
    redis.call('HDEL', state, 'probe')
    return {'opened', lasts}
end

local function close(state)
    redis.call('HDEL', state, 'open_until', 'openings', unpack(FIELDS))
    redis.call('HSET', state, 'since', now)
    return {'closed', 0}
end

local function rest(state, began, cooling_until, repeats, named, draw)
    local lasts = named and math.min(named, longest) or 0
    if began >= cooling_until then
        repeats = math.min(repeats + 1, DOUBLINGS)
        redis.call('HSET', state, 'repeats', repeats)
        if not named then lasts = doubled(rest_ms, rest_cap, repeats, draw) end
    end
    redis.call('HSET', state, 'cooling_until', math.max(cooling_until, now + lasts))
end

local function judge(state, known, verdict, began, probing, draw)
    local openings = tonumber(known[2]) or 0
    if known[1] then
        if not probing then return {'', 0} end
        if verdict == 'well' then return close(state) end
        return open(state, openings, draw)
    end
    if began < (tonumber(known[3]) or 0) then return {'', 0} end
    local calls, failures = count(state, math.floor(now / slot_ms), verdict == 'well' and 0 or 1)
    local sick = calls >= least and failures >= rate * calls
    if verdict == 'locked' or (verdict == 'ill' and sick) then return open(state, openings, draw) end
    return {'', 0}
end

local function release(account, lease, verdict, named, draw)
    local state = state_of(account)
    sweep(account)
    local name = name_of(lease)
    redis.call('ZREM', UNDER_WAY, name)
    if redis.call('ZREM', leases_of(account), name) == 0 then return {'', 0} end
    local began = tonumber(string.match(lease, '^%d+'))
    local known = redis.call('HMGET', state, 'open_until', 'openings', 'since', 'probe', 'cooling_until', 'repeats')
    local cooling_until = tonumber(known[5]) or 0
    local probing = known[4] == name
    if probing then redis.call('HDEL', state, 'probe') end
    local did = {'', 0}
    if verdict == 'limited' then
        rest(state, began, cooling_until, tonumber(known[6]) or 0, named, draw)
    elseif verdict ~= 'silent' then
        if verdict == 'well' and began >= cooling_until then redis.call('HDEL', state, 'repeats') end
        did = judge(state, known, verdict, began, probing, draw)
    end
    redis.call('PEXPIRE', state, keep_ms)
    return did
end

local answers = {}
for i = 10, #ARGV, 5 do
    local did = release(ARGV[i], ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 3]), tonumber(ARGV[i + 4]))
    answers[#answers + 1] = did[1]
    answers[#answers + 1] = did[2]
end
return answers
"""

# ARGV: a slot's ms, then accounts. Answers per account: ms until the breaker lets a probe through (-1: it is closed),
# calls, failures, requests under way, ms of rest left.
LOOK: Final = """
local answers = {}
for i = 2, #ARGV do
    sweep(ARGV[i])
    local known = redis.call('HMGET', state_of(ARGV[i]), 'open_until', 'cooling_until')
    local calls, failures = counted(state_of(ARGV[i]), math.floor(now / tonumber(ARGV[1])))
    local answer = {
        known[1] and math.max(0, tonumber(known[1]) - now) or -1,
        calls,
        failures,
        redis.call('ZCARD', leases_of(ARGV[i])),
        math.max(0, (tonumber(known[2]) or 0) - now),
    }
    for j = 1, 5 do answers[#answers + 1] = answer[j] end
end
return answers
"""
