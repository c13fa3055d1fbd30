"""Forgetting a learner: everything that says who did what, while anonymous sums stay."""

from functools import partial
from typing import Final

from uuid_utils import uuid7

from pipeline.execution import patiently
from pipeline.ports import ErasureStore, LearnerStore, Traces
from pipeline.service.access import Principal
from pipeline.service.identifier import learner_hash

ERASED_AT_ONCE: Final = 200
PATIENCE_SECONDS: Final = 1.0


class Erasure:
    """Erases learners, a bounded piece at a time, so that neither locks nor memory grow with their history."""

    def __init__(self, store: ErasureStore, learners: LearnerStore, traces: Traces) -> None:
        self._store = store
        self._learners = learners
        self._traces = traces

    async def erase(self, principal: Principal, learner_id: str) -> None:
        """Erase a learner and note that it was done; raises `Unavailable` where a server is away.

        What was not reached then is still there, and the same call finishes it. Hand-ins accepted in the
        meantime are erased too, up to the moment in which the learner is gone; later ones begin anew.
        """
        tenant_id = principal.tenant_id
        await self._erase_submissions(tenant_id, learner_id)
        while not await self._finish(principal, learner_id):
            await self._erase_submissions(tenant_id, learner_id)

    async def _finish(self, principal: Principal, learner_id: str) -> bool:
        """The entry's id is of now, however long the erasure took so far: by it tokens look for erasures since."""
        finish = partial(
            self._store.erase_learner,
            principal.tenant_id,
            learner_id,
            actor=principal.actor,
            audit_id=str(uuid7()),
            learner_hash=learner_hash(learner_id),
        )
        return await patiently(finish, PATIENCE_SECONDS)

    async def _erase_submissions(self, tenant_id: int, learner_id: str) -> None:
        """What Redis shows goes first: once Postgres has forgotten the ids, nobody could find it any more."""
        while ids := await self._learners.submission_ids(tenant_id, learner_id, after=None, most=ERASED_AT_ONCE):
            await self._traces.bury(ids)
            await patiently(partial(self._store.erase_submissions, tenant_id, ids), PATIENCE_SECONDS)
