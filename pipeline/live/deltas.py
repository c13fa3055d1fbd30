"""Feedback while it is written: what was told of each answer, in one hash per submission, for an hour.

The text lies in that hash alone. The stream of events, which every API process reads, only says that there is
something to read, so whoever forgets a submission has one key to delete.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec
import structlog
from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import NoScriptError

from pipeline import telemetry
from pipeline.batching import Batcher, Spacing
from pipeline.errors import Unavailable
from pipeline.live.board import BURIED, EVENTS_KEPT, EVENTS_STREAM, submission_key, told_key
from pipeline.live.client import reaching
from pipeline.model import Passage, Transcript
from pipeline.patience import answered_within

log = structlog.get_logger()

KEPT_SECONDS: Final = 3_600
MOST_BYTES: Final = 32_000
"""Of one answer's feedback; more is not told."""
MOST_FIELDS: Final = 1_000
MOST_MARKS_BYTES: Final = 8_000
"""Of one answer's marks; beyond it only the whole text is told."""
TELL_SECONDS: Final = 0.5
TOGETHER_SECONDS: Final = 0.02
"""What is told within it goes to Redis together; nobody reads faster."""
AT_ONCE: Final = 200
REST_SECONDS: Final = 1.0

# A number that only grows, even where the hash was lost: it follows the clock.
NUMBERED: Final = """
local function following(last)
    local now = redis.call('TIME')
    return math.max(last + 1, now[1] * 1000000 + now[2])
end
local function written(number) return string.format('%.0f', number) end
local function announce(number)
    redis.call('EXPIRE', KEYS[1], ARGV[4])
    redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[5], '*', 'id', ARGV[1], 'tenant', ARGV[2],
        'told', written(number))
    return 1
end
local text, marks, began = 't:' .. ARGV[3], 'm:' .. ARGV[3], 'b:' .. ARGV[3]
"""

# ARGV: submission, tenant, question, seconds to keep, events kept, then for TELL: all that is told of the answer by
# now, whether nothing follows, and the bounds. What is shown already is not shown again; who tells a second time what
# another told before (a worker died in between) is silent until there is more to say.
TELL: Final = (
    NUMBERED
    + """
local whole, final, most_bytes, most_fields, most_marks, buried =
    ARGV[6], ARGV[7] == '1', tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
if (tonumber(redis.call('HGET', KEYS[2], 'version')) or 0) >= buried then return 0 end
local known = redis.call('HMGET', KEYS[1], 'sequence', text, marks)
local last, shown, past = tonumber(known[1]) or 0, known[2] or '', known[3] or ''
if whole == shown or #whole > most_bytes then return 0 end
if not known[2] and redis.call('HLEN', KEYS[1]) > most_fields then return 0 end
local extends = string.sub(whole, 1, #shown) == shown
if not final and string.sub(shown, 1, #whole) == whole then return 0 end
if not final and #past > most_marks then return 0 end
local number = following(last)
if last == 0 then redis.call('HSET', KEYS[1], 'tenant', ARGV[2], 'start', written(number)) end
if not extends then
    redis.call('HSET', KEYS[1], began, written(number))
    number, past = number + 1, ''
end
redis.call('HSET', KEYS[1], 'sequence', written(number), text, whole,
    marks, past .. written(number) .. ':' .. #whole .. ' ')
return announce(number)
"""
)

RESTART: Final = (
    NUMBERED
    + """
local known = redis.call('HMGET', KEYS[1], 'sequence', text)
if (known[2] or '') == '' then return 0 end
local number = written(following(tonumber(known[1])))
redis.call('HSET', KEYS[1], 'sequence', number, began, number, text, '')
redis.call('HDEL', KEYS[1], marks)
return announce(number)
"""
)


class Saying(msgspec.Struct, frozen=True):
    """One thing to tell: a script, and what it is run with."""

    script: AsyncScript
    keys: list[str]
    arguments: list[str | int | bytes]


class RedisDeltas:
    """The ports `pipeline.ports.generation.Deltas` and `Transcripts`. `lost` counts what could not be told."""

    def __init__(self, client: Redis, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._resting_until = 0.0
        self._tell = client.register_script(TELL)
        self._restart = client.register_script(RESTART)
        self._sayings: Batcher[Saying, None] = Batcher(self._say, most=AT_ONCE, spacing=Spacing(TOGETHER_SECONDS))
        self._endings: Batcher[Saying, None] = Batcher(self._say, most=AT_ONCE)
        self.lost = 0

    async def tell(
        self, submission_id: str, tenant_id: int, question_id: str, text: str, *, after: str = "", whole: bool = False
    ) -> None:
        """Show this text behind `after`; what was lost before is shown with it."""
        arguments: list[str | int | bytes] = [submission_id, tenant_id, question_id, KEPT_SECONDS, EVENTS_KEPT]
        arguments += [
            (after + text).encode(errors="replace"),
            int(whole),
            MOST_BYTES,
            MOST_FIELDS,
            MOST_MARKS_BYTES,
            BURIED,
        ]
        last = self._endings if whole else self._sayings  # nothing follows that it could go together with
        await last.add(Saying(self._tell, keys_of(submission_id), arguments))

    async def restart(self, submission_id: str, tenant_id: int, question_id: str) -> None:
        """Take back what was shown of an answer's feedback."""
        arguments: list[str | int | bytes] = [submission_id, tenant_id, question_id, KEPT_SECONDS, EVENTS_KEPT]
        await self._endings.add(Saying(self._restart, keys_of(submission_id), arguments))

    async def _say(self, sayings: list[Saying]) -> list[None]:
        """Whoever writes waits half a second for Redis at most, and then for a second not at all."""
        if self._clock() < self._resting_until:
            self.lost += len(sayings)
            return [None] * len(sayings)
        try:
            with reaching():
                async with answered_within(TELL_SECONDS):
                    await self._run(sayings)
        except Unavailable as error:
            self.lost += len(sayings)
            self._resting_until = self._clock() + REST_SECONDS
            log.warning(telemetry.DELTAS_LOST, lost=self.lost, error=str(error))
        return [None] * len(sayings)

    async def _run(self, sayings: Sequence[Saying]) -> None:
        """All in one exchange; from the first whose script Redis does not know, one by one: the same twice is once."""
        async with self._client.pipeline(transaction=False) as pipe:
            for one in sayings:
                pipe.evalsha(one.script.sha, len(one.keys), *one.keys, *one.arguments)
            answers = await pipe.execute(raise_on_error=False)
        for number, answer in enumerate(answers):
            if isinstance(answer, NoScriptError):
                for one in sayings[number:]:
                    await one.script(keys=one.keys, args=one.arguments)
                return
            if isinstance(answer, Exception):
                raise answer

    async def transcripts(self, named: Iterable[tuple[int, str]]) -> list[Transcript]:
        """What was told of these submissions; raises `Unavailable`."""
        wanted = list(dict.fromkeys(named))
        with reaching():
            async with self._client.pipeline(transaction=False) as pipe:
                for _, submission_id in wanted:
                    pipe.hgetall(told_key(submission_id))
                found: list[dict[bytes, bytes]] = await pipe.execute()
        return [
            transcript_of(submission_id, tenant_id, fields)
            for (tenant_id, submission_id), fields in zip(wanted, found, strict=True)
            if fields and int(fields[b"tenant"]) == tenant_id
        ]


def keys_of(submission_id: str) -> list[str]:
    return [told_key(submission_id), submission_key(submission_id), EVENTS_STREAM]


def transcript_of(submission_id: str, tenant_id: int, fields: dict[bytes, bytes]) -> Transcript:
    """A submission's hash as a value."""
    texts = {name[2:]: text for name, text in fields.items() if name.startswith(b"t:")}
    passages = tuple(
        Passage(
            question.decode(), text, marks_in(fields.get(b"m:" + question, b"")), int(fields.get(b"b:" + question, 0))
        )
        for question, text in texts.items()
    )
    return Transcript(submission_id, tenant_id, int(fields[b"start"]), int(fields[b"sequence"]), passages)


def marks_in(line: bytes) -> tuple[tuple[int, int], ...]:
    """`12:40 13:95 ` as ((12, 40), (13, 95))."""
    pairs = (mark.partition(b":") for mark in line.split())
    return tuple((int(number), int(end)) for number, _, end in pairs)
