"""Cancel and retry of one submission, as its client asks for them."""

from collections.abc import Awaitable, Callable
from typing import Final

from pipeline.errors import Conflict, NotFound
from pipeline.execution import announce
from pipeline.model import Recorded, SubmissionView
from pipeline.ports import Bell, Board, ControlStore, ReadingStore

Act = Callable[[int, list[str], str], Awaitable[Recorded]]


class Control:
    """Does what was asked, tells workers and watchers, and answers with the new state."""

    def __init__(self, *, store: ControlStore, reading: ReadingStore, bell: Bell, board: Board) -> None:
        self._store = store
        self._reading = reading
        self.bell: Final = bell
        self.board: Final = board

    async def cancel(self, tenant_id: int, submission_id: str, actor: str) -> SubmissionView:
        """Stop a submission; raises `NotFound`, or `Conflict` where nothing is left to stop."""
        return await self._act(self._store.cancel, "cancelled", tenant_id, submission_id, actor)

    async def retry(self, tenant_id: int, submission_id: str, actor: str) -> SubmissionView:
        """Try dead stages again; raises `NotFound`, or `Conflict` where none is dead."""
        return await self._act(self._store.retry, "retried", tenant_id, submission_id, actor)

    async def _act(self, act: Act, done: str, tenant_id: int, submission_id: str, actor: str) -> SubmissionView:
        recorded = await act(tenant_id, [submission_id], actor)
        await announce(recorded, self)
        views = await self._reading.read(tenant_id, [submission_id])
        if not views:
            raise NotFound("There is no such submission.")
        if not recorded.changes:
            raise Conflict(f"The submission is {views[0].status}, so it cannot be {done}.")
        return views[0]
