"""What operators may ask: queues, pauses, dead letters, workers, the audit log."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec
import structlog

from pipeline import telemetry
from pipeline.errors import FieldProblem, InvalidInput, NotFound, Unavailable
from pipeline.execution import announce, ring
from pipeline.lifecycle import Stage
from pipeline.model import Recorded
from pipeline.ports import (
    Act,
    Bell,
    Board,
    ControlStore,
    DeadFilter,
    DeadLetter,
    DeadPlace,
    DeadStore,
    LiveWorker,
    OperationsStore,
    QueueDepth,
    UpkeepStore,
)
from pipeline.service.access import Principal
from pipeline.service.identifier import is_uuid
from pipeline.service.page import cursor_behind, key_before

log = structlog.get_logger()

IDS_SHOWN: Final = 20
RUNG_ON_RESUME: Final = 5_000
ACTED_ON_AT_ONCE: Final = 200
MOST_IN_BULK: Final = 10_000

Flow = Callable[[], Awaitable[dict[str, int]]]
"""How many entered (`score:in`) and left (`score:out`) each queue in a minute; raises `Unavailable`."""


class Queue(msgspec.Struct, frozen=True):
    """A queue as operators see it.

    `scheduled` waits for its next try; `oldest_ready_seconds` is null where nothing is ready; the flow per
    minute is null where it is not known, as while Redis is away.
    """

    name: str
    ready: int
    running: int
    scheduled: int
    dead: int
    oldest_ready_seconds: float | None
    in_per_minute: int | None
    out_per_minute: int | None
    paused: bool


class Bulk(msgspec.Struct, frozen=True):
    """What an act on many submissions came to.

    `count` and `ids` are those it changed; `skipped` were asked for by id but have no dead stage (or do not
    exist); `more` says that a filter found more than one act may change, so it is to be repeated.
    """

    count: int
    ids: tuple[str, ...]
    skipped: tuple[str, ...]
    more: bool


class Operations:
    """Shows and steers the installation, in the name of a tenant's operator."""

    def __init__(
        self,
        *,
        store: OperationsStore,
        dead: DeadStore,
        control: ControlStore,
        upkeep: UpkeepStore,
        bell: Bell,
        board: Board,
        flow: Flow,
        dead_seconds: float,
    ) -> None:
        self._store = store
        self._dead = dead
        self._control = control
        self._upkeep = upkeep
        self.bell: Final = bell
        self.board: Final = board
        self._flow = flow
        self._dead_seconds = dead_seconds

    async def queues(self) -> list[Queue]:
        """Every queue, in the order of the stages, then webhook deliveries and texts for teachers."""
        depths = await self._store.depths()
        try:
            flow: dict[str, int] | None = await self._flow()
        except Unavailable as error:
            log.warning(telemetry.CACHE_UNAVAILABLE, error=str(error))
            flow = None
        return [queue_of(depth, flow) for depth in depths]

    async def pause(self, principal: Principal, name: str, reason: str) -> Queue:
        """Hand out no more of a stage, in all workers, from now on; accepted work is kept."""
        stage = stage_named(name)
        await self._store.pause(principal.tenant_id, stage, principal.actor, reason)
        return await self._queue(stage)

    async def resume(self, principal: Principal, name: str, reason: str | None) -> Queue:
        """Hand out a stage's work again and ring what waits; a queue that is not paused stays as it is."""
        stage = stage_named(name)
        if await self._store.resume(principal.tenant_id, stage, principal.actor, reason):
            waiting = await self._upkeep.untaken(stage, grace_seconds=0.0, most=RUNG_ON_RESUME)
            await ring(stage, waiting.ids, self.bell)  # what must run alone is left to the sweeper
        return await self._queue(stage)

    async def _queue(self, stage: Stage) -> Queue:
        return next(queue for queue in await self.queues() if queue.name == stage)

    async def dead(
        self, principal: Principal, wanted: DeadFilter, *, cursor: str | None, limit: int
    ) -> tuple[list[DeadLetter], str | None]:
        """A part of the tenant's dead letters, and the cursor of the next."""
        before = None if cursor is None else dead_place(cursor)
        found = await self._dead.list_dead(principal.tenant_id, wanted, before=before, most=limit + 1)
        here = found[:limit]
        return here, cursor_behind(f"{here[-1].submission_id}/{here[-1].stage}") if len(found) > limit else None

    async def retry(
        self, principal: Principal, reason: str, *, ids: Sequence[str] | None, wanted: DeadFilter | None
    ) -> Bulk:
        """Give dead stages another round of attempts."""
        return await self._in_bulk(self._control.retry, principal, reason, ids, wanted)

    async def discard(
        self, principal: Principal, reason: str, *, ids: Sequence[str] | None, wanted: DeadFilter | None
    ) -> Bulk:
        """Cancel submissions with a dead stage."""
        return await self._in_bulk(self._control.discard, principal, reason, ids, wanted)

    async def _in_bulk(
        self,
        act: Callable[[int, Sequence[str], str, str], Awaitable[Recorded]],
        principal: Principal,
        reason: str,
        ids: Sequence[str] | None,
        wanted: DeadFilter | None,
    ) -> Bulk:
        """Act in transactions of bounded size; what a crash leaves undone is still dead, so it can be repeated."""
        targets = list(dict.fromkeys(ids)) if ids is not None else await self._matching(principal, wanted)
        known = [id_ for id_ in targets[:MOST_IN_BULK] if is_uuid(id_)]
        changed: list[str] = []
        for start in range(0, len(known), ACTED_ON_AT_ONCE):
            some = known[start : start + ACTED_ON_AT_ONCE]
            recorded = await act(principal.tenant_id, some, principal.actor, reason)
            await announce(recorded, self)
            changed += [change.submission_id for change in recorded.changes]
        done = set(changed)
        skipped = () if ids is None else tuple(id_ for id_ in targets if id_ not in done)
        return Bulk(len(changed), tuple(changed), skipped, more=len(targets) > MOST_IN_BULK)

    async def _matching(self, principal: Principal, wanted: DeadFilter | None) -> list[str]:
        return await self._dead.dead_ids(principal.tenant_id, wanted or DeadFilter(), most=MOST_IN_BULK + 1)

    async def workers(self, principal: Principal) -> list[LiveWorker]:
        """The workers that live, and what they hold."""
        return await self._store.live_workers(principal.tenant_id, dead_seconds=self._dead_seconds, most_ids=IDS_SHOWN)

    async def count_workers(self) -> int:
        """How many workers live."""
        return await self._store.count_workers(dead_seconds=self._dead_seconds)

    async def acts(self, principal: Principal, *, cursor: str | None, limit: int) -> tuple[list[Act], str | None]:
        """A part of the tenant's audit log, newest first, and the cursor of the next."""
        before = None if cursor is None else uuid_in(key_before(cursor))
        found = await self._store.acts(principal.tenant_id, before=before, most=limit + 1)
        here = found[:limit]
        return here, cursor_behind(here[-1].id) if len(found) > limit else None


def queue_of(depth: QueueDepth, flow: dict[str, int] | None) -> Queue:
    """A queue's depth with its flow: the store's own count, or else what the board has seen, if it is there."""
    entered, left = depth.flow or flow_of(depth.name, flow)
    return Queue(
        name=depth.name,
        ready=depth.ready,
        running=depth.running,
        scheduled=depth.scheduled,
        dead=depth.dead,
        oldest_ready_seconds=depth.oldest_ready_seconds,
        in_per_minute=entered,
        out_per_minute=left,
        paused=depth.paused,
    )


def flow_of(name: str, flow: dict[str, int] | None) -> tuple[int | None, int | None]:
    return (None, None) if flow is None else (flow.get(f"{name}:in", 0), flow.get(f"{name}:out", 0))


def stage_named(name: str) -> Stage:
    """The stage of this name; raises `NotFound` that lists those there are."""
    try:
        return Stage(name)
    except ValueError:
        raise NotFound(f"There is no such stage; there are {', '.join(Stage)}.") from None


def dead_place(cursor: str) -> DeadPlace:
    submission_id, _, stage = key_before(cursor).partition("/")
    return DeadPlace(uuid_in(submission_id), stage)


def uuid_in(key: str) -> str:
    """The id that a cursor holds; raises `InvalidInput` for a cursor of another list."""
    if not is_uuid(key):
        raise InvalidInput([FieldProblem("/cursor", "This is not a cursor of this list.")])
    return key
