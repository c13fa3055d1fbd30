"""Working out again, from history alone, all that was ever learnt: to see that it is right, or to make it so.

A tenant is looked at as it is at one moment, while work goes on: its submissions are learnt from once more, in the
order in which they were, and what comes out is compared with what is stored. Only where something differs, and is to
be replaced, the tenant's learners and questions are locked: what was handed in since is learnt from on top, and the
rebuilt state takes the place of the stored one, all in one transaction.

Memory grows with learners, their topics and days, and with questions, not with answers; of each submission its number
is kept, in eight bytes.
"""

from array import array
from collections.abc import Mapping
from typing import Final

import msgspec

from pipeline.errors import Conflict
from pipeline.ports.rebuilding import (
    Correction,
    Decided,
    Lesson,
    RebuildStore,
    Rebuilt,
)
from pipeline.service.mending import Difference, Mending, compared
from pipeline.service.replaying import NOBODY, Replay

TRIES: Final = 3


class Findings(msgspec.Struct, frozen=True):
    """What a look found: from how much it follows, how many differences, and the first of them."""

    submissions: int
    learners: int
    questions: int
    differences: int
    first: tuple[Difference, ...]


class Rebuilder:
    """Rebuilds what was learnt of a tenant's learners and questions; raises `Conflict` while another one does."""

    def __init__(self, store: RebuildStore) -> None:
        self._store = store

    async def tenants(self) -> Mapping[str, int]:
        """All tenants' ids by name."""
        return await self._store.tenants()

    async def check(self, tenant_id: int) -> Findings:
        """Compare the live state with history, and change nothing."""
        async with self._store.look(tenant_id) as look:
            replay = Replay(await look.first_free_sequence(), await look.starts())
            wrong = 0
            async for events in look.events():
                wrong += len(replay.take(events))
            mending = await compared(look, replay)
        return findings_of(replay, mending, wrong)

    async def rebuild(self, tenant_id: int) -> Findings:
        """Make the live state what history says it is; answers what differed.

        Raises `Conflict` where learners were erased again and again meanwhile.
        """
        for _ in range(TRIES):
            if (findings := await self._rebuild(tenant_id)) is not None:
                return findings
        raise Conflict("Learners are being erased: rebuild when that is over.")

    async def _rebuild(self, tenant_id: int) -> Findings | None:
        """None where somebody was erased between look and switch: his steps may have been kept as they were before."""
        async with self._store.look(tenant_id) as look:
            kept = await look.kept_steps()
            replay = Replay(await look.first_free_sequence(), await look.starts())
            wrong = 0
            async for events in look.events():
                corrections = replay.take(events)
                wrong += len(corrections)
                await self._store.correct(tenant_id, corrections)
            mending = await compared(look, replay)
            if mending.found and not await self._switch(tenant_id, replay, mending, kept):
                return None
        return findings_of(replay, mending, wrong)

    async def _switch(self, tenant_id: int, replay: Replay, mending: Mending, kept: int) -> bool:
        async with self._store.switch(tenant_id) as switch:
            if await switch.kept_steps() != kept:
                return False
            replay.starts |= await switch.starts()
            corrections = list[Correction]()
            async for events in switch.events(array("q", replay.sequences)):
                corrections += replay.take(events)
                for event in events:
                    if isinstance(event, Lesson | Decided):
                        mending.learners.add(event.work.learner_id)
                        mending.items.update(answer.question.id for answer in event.work.answers)
            await switch.replace(
                Rebuilt(
                    learners={id_: replay.learners.get(id_, NOBODY) for id_ in sorted(mending.learners)},
                    items={id_: replay.items.get(id_) for id_ in sorted(mending.items)},
                    days=mending.days,
                    counts=mending.counts,
                    corrections=corrections,
                )
            )
        return True


def findings_of(replay: Replay, mending: Mending, wrong_steps: int) -> Findings:
    if wrong_steps:
        mending.note("the number of results without their right steps", wrong_steps, 0)
    return Findings(replay.lessons, len(replay.learners), len(replay.items), mending.found, tuple(mending.first))
