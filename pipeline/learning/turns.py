"""Taking turns."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

Thing = TypeVar("Thing")


def by_turns(sources: Iterable[Iterator[Thing]]) -> Iterator[Thing]:
    """One from each source in turn until all are empty; nothing is asked of a source before its turn."""
    waiting = deque(sources)
    while waiting:
        source = waiting.popleft()
        for thing in source:
            yield thing
            waiting.append(source)
            break
