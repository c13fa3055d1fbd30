"""Limits that hold across all processes: the sliding window of `pipeline/window.py`, atomic in Redis."""

from collections.abc import Sequence
from typing import Final

from redis.asyncio import Redis

from pipeline.live.client import reaching
from pipeline.window import SLOTS, Charge, Room

PREFIX: Final = "gradeline:limit:"

# KEYS: one hash per charge, a request's charges behind each other. ARGV: slots, units to add (1 takes, -1 gives
# back), how many charges a request has, then limit and window in ms per key. A hash holds units by slot, their
# `total`, and the `oldest` slot. Answers, per request, whether it was taken, and per charge what is left and
# in how many ms the oldest unit leaves. All time is Redis'.
TAKE: Final = """
local slots, units, per = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local answers = {}

local function width_of(window) return math.ceil(window / slots) end

local function total_of(key, first)
    local known = redis.call('HMGET', key, 'oldest', 'total')
    local oldest, total = tonumber(known[1]), tonumber(known[2])
    if not oldest then return 0, nil end
    if oldest >= first then return total, oldest end
    if first - oldest > 2 * slots then redis.call('DEL', key) return 0, nil end
    for slot = oldest, first - 1 do
        local left = tonumber(redis.call('HGET', key, slot))
        if left then
            total = total - left
            redis.call('HDEL', key, slot)
        end
    end
    redis.call('HSET', key, 'oldest', first, 'total', total)
    return total, first
end

local function back_in(key, oldest, newest, width)
    for slot = oldest, newest do
        if (tonumber(redis.call('HGET', key, slot)) or 0) > 0 then return (slot + 1 + slots) * width - now end
    end
    return 0
end

for start = 1, #KEYS, per do
    local taken, found = 1, {}
    for i = start, start + per - 1 do
        local limit, window = tonumber(ARGV[2 + 2 * i]), tonumber(ARGV[3 + 2 * i])
        local width = width_of(window)
        local newest = math.floor(now / width)
        local total, oldest = total_of(KEYS[i], newest - slots)
        found[i] = {limit, window, width, newest, total, oldest}
        if units > 0 and total + units > limit then taken = 0 end
    end
    answers[#answers + 1] = taken
    for i = start, start + per - 1 do
        local limit, window, width, newest, total, oldest = unpack(found[i], 1, 6)
        local slot = newest
        if units < 0 and (tonumber(redis.call('HGET', KEYS[i], slot)) or 0) <= 0 then slot = newest - 1 end
        if taken == 1 and (units > 0 or (tonumber(redis.call('HGET', KEYS[i], slot)) or 0) > 0) then
            redis.call('HINCRBY', KEYS[i], slot, units)
            total = total + units
            oldest = oldest or newest
            redis.call('HSET', KEYS[i], 'total', total, 'oldest', oldest)
            redis.call('PEXPIRE', KEYS[i], window + 2 * width)
        end
        answers[#answers + 1] = math.max(0, limit - total)
        answers[#answers + 1] = oldest and back_in(KEYS[i], oldest, newest, width) or 0
    end
end
return answers
"""


class RedisCounter:
    """The port `pipeline.ports.Counter`."""

    def __init__(self, client: Redis) -> None:
        self._script = client.register_script(TAKE)

    async def take(self, requests: Sequence[tuple[Charge, ...]]) -> list[tuple[bool, list[Room]]]:
        """For each request in turn, take one unit of each of its charges or of none; raises `Unavailable`."""
        answers = await self._run(requests, 1)
        per = len(requests[0])
        return [outcome(answers[i : i + 1 + 2 * per]) for i in range(0, len(answers), 1 + 2 * per)]

    async def give_back(self, requests: Sequence[tuple[Charge, ...]]) -> None:
        """Return what was taken for nothing; raises `Unavailable`."""
        await self._run(requests, -1)

    async def _run(self, requests: Sequence[tuple[Charge, ...]], units: int) -> list[int]:
        charges = [charge for request in requests for charge in request]
        arguments: list[int] = [SLOTS, units, len(requests[0])]
        for charge in charges:
            arguments += [charge.limit, charge.window_seconds * 1000]
        with reaching():
            answers: list[int] = await self._script(keys=[PREFIX + charge.key for charge in charges], args=arguments)
        return answers


def outcome(answer: Sequence[int]) -> tuple[bool, list[Room]]:
    """One request's part of the script's answer."""
    rooms = [Room(answer[i], -(-answer[i + 1] // 1000)) for i in range(1, len(answer), 2)]
    return answer[0] == 1, rooms
