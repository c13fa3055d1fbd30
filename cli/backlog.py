"""What is still to be sent: fresh lines in their order, and those that were told to come back later."""

import heapq
from collections.abc import Iterator
from typing import NamedTuple


class Entry(NamedTuple):
    """One hand-in ready to be sent: the number of its line, its JSON, and how often it was put off."""

    number: int
    body: bytes
    delays: int = 0


class Backlog:
    """Entries by the moment from which they may be sent; the source is read no further than needed."""

    def __init__(self, source: Iterator[Entry]) -> None:
        self._source = source
        self._later: list[tuple[float, int, Entry]] = []
        self._held: Entry | None = None

    @property
    def put_off(self) -> int:
        """How many entries wait for their moment."""
        return len(self._later)

    @property
    def next_due(self) -> float | None:
        """The moment from which the next of them may be sent; None if none waits."""
        return self._later[0][0] if self._later else None

    def put_back(self, entry: Entry, due: float) -> None:
        """Send it again, from `due` on."""
        heapq.heappush(self._later, (due, entry.number, entry._replace(delays=entry.delays + 1)))

    def take(self, now: float, *, most: int, most_bytes: int) -> list[Entry]:
        """The next entries, those that are due again first; at least one if there is any, however large."""
        batch: list[Entry] = []
        size = 0
        while len(batch) < most and (entry := self._peek(now)) is not None:
            size += len(entry.body)
            if batch and size > most_bytes:
                break
            batch.append(self._pop(now))
        return batch

    def _peek(self, now: float) -> Entry | None:
        if self._is_due(now):
            return self._later[0][2]
        if self._held is None:
            self._held = next(self._source, None)
        return self._held

    def _pop(self, now: float) -> Entry:
        if self._is_due(now):
            return heapq.heappop(self._later)[2]
        entry, self._held = self._held, None
        assert entry is not None  # noqa: S101 - `_peek` came before
        return entry

    def _is_due(self, now: float) -> bool:
        return bool(self._later) and self._later[0][0] <= now
