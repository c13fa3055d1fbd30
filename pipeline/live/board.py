"""What watchers see: a status per submission, a stream of changes, and finished documents, all in Redis.

Everything here can be deleted at any moment; readers fall back to Postgres and refill.
"""

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from redis.asyncio import Redis

from pipeline.lifecycle import FINAL_STATUSES, Status
from pipeline.live.client import reaching
from pipeline.model import Change, Shown, Standing

EVENTS_STREAM: Final = "gradeline:events"
EVENTS_KEPT: Final = 100_000
CHANGES_PER_CALL: Final = 200
FLOW_TTL_SECONDS: Final = 300

# ARGV: seconds a status stays, events kept, the flow's key, its seconds, and in one JSON the flow's counts and the
# changes: one argument for a whole batch costs a client less than four for each change. A change is skipped unless
# it is newer than what is shown; otherwise it replaces the status, drops the document of the older version, and is
# told to the stream and to the submission's own history, from which a watcher who comes back is told what was missed.
# Which of the versions are people's decisions stands in a field of its own: there are few.
PUBLISH: Final = """
local ttl, kept, flow, flow_ttl, told = ARGV[1], ARGV[2], ARGV[3], ARGV[4], cjson.decode(ARGV[5])
for field, count in pairs(told.flow) do
    redis.call('HINCRBY', flow, field, count)
end
if next(told.flow) then redis.call('EXPIRE', flow, flow_ttl) end
local shown = 0
for _, change in ipairs(told.changes) do
    local id, tenant, version, status, settled = unpack(change)
    local key = 'gradeline:submission:' .. id
    local known = redis.call('HMGET', key, 'version', 'history', 'settled')
    if version > (tonumber(known[1]) or 0) then
        local history = known[2] or ''
        if #history > 2000 then history = string.match(string.sub(history, -1500), ' (.*)') end
        redis.call('DEL', key)
        redis.call('HSET', key, 'tenant', tenant, 'version', version, 'status', status,
            'history', history .. version .. ':' .. status .. ' ')
        local decided = known[3] or ''
        if settled then decided = decided .. version .. ' ' end
        if decided ~= '' then redis.call('HSET', key, 'settled', string.sub(decided, -1500)) end
        redis.call('EXPIRE', key, ttl)
        local event = {'id', id, 'tenant', tenant, 'version', version, 'status', status}
        if settled then event[9], event[10] = 'settled', '1' end
        redis.call('XADD', KEYS[1], 'MAXLEN', '~', kept, '*', unpack(event))
        shown = shown + 1
    end
end
return shown
"""

# Keep a document only if it is of the version shown, or if nothing is shown; and when it was read.
REMEMBER: Final = """
local version = tonumber(redis.call('HGET', KEYS[1], 'version')) or 0
if tonumber(ARGV[2]) < version then return 0 end
redis.call('HSET', KEYS[1], 'tenant', ARGV[1], 'version', ARGV[2], 'status', ARGV[3], 'document', ARGV[4],
    'read_at', redis.call('TIME')[1])
redis.call('EXPIRE', KEYS[1], ARGV[5])
return 1
"""


# A version above all others, with nothing to show: later changes and documents count as outdated.
BURIED: Final = 2**53 - 1

# A publication may be lost, so a document that can still change is believed only so long.
BELIEVED_SECONDS: Final = 1
SETTLED: Final = FINAL_STATUSES - {Status.FAILED}
"""What no event leaves; a failed submission may be retried."""


def submission_key(submission_id: str) -> str:
    return f"gradeline:submission:{submission_id}"


def told_key(submission_id: str) -> str:
    """Where the feedback lies that was told while it was written; see `pipeline.live.deltas`."""
    return f"gradeline:told:{submission_id}"


def flow_key(minute: int) -> str:
    return f"gradeline:flow:{minute}"


def flow_of(changes: Sequence[Change]) -> Counter[str]:
    """How many entered (`score:in`) and left (`score:out`) each stage by these changes."""
    flow = Counter(f"{stage}:in" for change in changes for stage in (*change.ready, *change.followed))
    flow.update(f"{stage}:out" for change in changes for stage in change.finished)
    return flow


class RedisBoard:
    """The port `pipeline.ports.Board`."""

    def __init__(self, client: Redis, *, status_ttl_seconds: int, result_ttl_seconds: int) -> None:
        self._client = client
        self._status_ttl = status_ttl_seconds
        self._result_ttl = result_ttl_seconds
        self._publish = client.register_script(PUBLISH)
        self._remember = client.register_script(REMEMBER)

    async def publish(self, changes: Sequence[Change]) -> None:
        """Show these changes and count what went into and out of each stage; raises `Unavailable`."""
        with reaching():
            for start in range(0, len(changes), CHANGES_PER_CALL):
                await self._publish_some(changes[start : start + CHANGES_PER_CALL])

    async def _publish_some(self, changes: Sequence[Change]) -> None:
        told = {
            "flow": flow_of(changes),
            "changes": [(c.submission_id, c.tenant_id, c.version, c.status, c.settled) for c in changes],
        }
        flow = flow_key(int(time.time()) // 60)
        await self._publish(
            keys=[EVENTS_STREAM],
            args=[self._status_ttl, EVENTS_KEPT, flow, FLOW_TTL_SECONDS, msgspec.json.encode(told)],
        )

    async def look(self, submission_id: str) -> Shown | None:
        """The document kept for the version shown, unless it is too old to be believed; raises `Unavailable`."""
        with reaching():
            async with self._client.pipeline(transaction=False) as pipe:
                pipe.hmget(submission_key(submission_id), ["tenant", "version", "status", "document", "read_at"])
                pipe.time()
                (tenant, version, status, document, read_at), (now, _) = await pipe.execute()
        if document is None:
            return None
        shown = Shown(int(tenant), int(version), Status(status.decode()), document)
        believed = shown.status in SETTLED or now - int(read_at) <= BELIEVED_SECONDS
        return shown if believed else None

    async def history(self, tenant_id: int, submission_id: str) -> list[Standing]:
        """What was shown of a submission so far, oldest first; raises `Unavailable`."""
        with reaching():
            kept: Any = await self._client.hmget(submission_key(submission_id), ["history", "settled"])
        history, settled = ((text or b"").decode().split() for text in kept)
        return [
            Standing(
                submission_id,
                tenant_id,
                int(version),
                Status(status),
                settled_version=int(version) if version in settled else None,
            )
            for version, _, status in (entry.partition(":") for entry in history)
        ]

    async def bury(self, submission_ids: Sequence[str]) -> None:
        """Forget these submissions, and refuse for a day whatever is still to be said of them; raises `Unavailable`."""
        with reaching():
            async with self._client.pipeline(transaction=True) as pipe:
                for submission_id in submission_ids:
                    key = submission_key(submission_id)
                    pipe.delete(key, told_key(submission_id))
                    pipe.hset(key, "version", str(BURIED))
                    pipe.expire(key, self._status_ttl)
                await pipe.execute()

    async def remember(self, submission_id: str, tenant_id: int, version: int, status: str, document: bytes) -> None:
        """Keep a submission's document for its version; raises `Unavailable`."""
        ttl = self._result_ttl if status in FINAL_STATUSES else self._status_ttl
        with reaching():
            await self._remember(keys=[submission_key(submission_id)], args=[tenant_id, version, status, document, ttl])

    async def ping(self) -> float:
        """How long Redis takes to answer, in seconds; raises `Unavailable`."""
        started = time.perf_counter()
        with reaching():
            await self._client.ping()
        return time.perf_counter() - started

    async def flow(self) -> dict[str, int]:
        """How many entered (`score:in`) and left (`score:out`) each stage in the last full minute or this one."""
        minute = int(time.time()) // 60
        totals: Counter[str] = Counter()
        with reaching():
            for key in (flow_key(minute), flow_key(minute - 1)):
                counts: dict[bytes, bytes] = await self._client.hgetall(key)  # type: ignore[assignment] # bytes: nothing decodes
                for field, count in counts.items():
                    totals[field.decode()] = max(totals[field.decode()], int(count))
        return dict(totals)
