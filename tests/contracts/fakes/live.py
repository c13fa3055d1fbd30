"""A bell, a board and deltas in memory that remember what they were told; the first two may be away."""

from collections.abc import Iterable, Sequence

import msgspec

from pipeline.errors import Unavailable
from pipeline.model import Change, Passage, Transcript


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


class FakeDeltas:
    """The ports `Deltas` and `Transcripts`; numbers are counted from 1,000."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str | None]] = []
        self._sequence = 1_000
        self._passages: dict[tuple[int, str], dict[str, Passage]] = {}

    async def tell(
        self, submission_id: str, tenant_id: int, question_id: str, text: str, *, after: str = "", whole: bool = False
    ) -> None:
        passages = self._passages.setdefault((tenant_id, submission_id), {})
        passage, told = passages.get(question_id, Passage(question_id, b"", ())), (after + text).encode()
        if told == passage.text or (passage.text.startswith(told) and not whole):
            return
        if not told.startswith(passage.text):
            passage = self._taken_back(passage)
        self._sequence += 1
        self.events.append((question_id, told[len(passage.text) :].decode()))
        marks = (*passage.marks, (self._sequence, len(told)))
        passages[question_id] = msgspec.structs.replace(passage, text=told, marks=marks)

    async def restart(self, submission_id: str, tenant_id: int, question_id: str) -> None:
        passages = self._passages.get((tenant_id, submission_id), {})
        if question_id in passages and passages[question_id].text:
            passages[question_id] = self._taken_back(passages[question_id])

    def _taken_back(self, passage: Passage) -> Passage:
        self._sequence += 1
        self.events.append((passage.question_id, None))
        return Passage(passage.question_id, b"", (), self._sequence)

    async def transcripts(self, named: Iterable[tuple[int, str]]) -> list[Transcript]:
        return [
            Transcript(name[1], name[0], 1_001, self._sequence, tuple(self._passages[name].values()))
            for name in named
            if name in self._passages
        ]
