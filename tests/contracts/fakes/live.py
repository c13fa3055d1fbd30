"""A bell and a board in memory that remember what they were told, and may be away."""

from collections.abc import Sequence

from pipeline.errors import Unavailable
from pipeline.model import Change


class FakeBell:
    """The port `pipeline.ports.Bell`."""

    def __init__(self) -> None:
        self.away = False
        self.rung: list[tuple[str, tuple[str, ...], bool]] = []

    async def ring(self, queue: str, ids: Sequence[str], *, solo: bool = False) -> None:
        if self.away:
            raise Unavailable("the bell is away")
        self.rung.append((queue, tuple(ids), solo))

    async def waiting(self, queue: str) -> int:
        if self.away:
            raise Unavailable("the bell is away")
        return sum(1 for rung, _, _ in self.rung if rung == queue)


class FakeBoard:
    """The port `pipeline.ports.Board`."""

    def __init__(self) -> None:
        self.away = False
        self.shown: dict[str, Change] = {}

    async def publish(self, changes: Sequence[Change]) -> None:
        if self.away:
            raise Unavailable("the board is away")
        for change in changes:
            known = self.shown.get(change.submission_id)
            if known is None or known.version < change.version:
                self.shown[change.submission_id] = change
