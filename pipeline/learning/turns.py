"""Taking turns."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Thing = TypeVar("Thing")


def by_turns(sources: Iterable[Iterator[Thing]], at_once: int | None = None) -> Iterator[Thing]:
    """One from each source in turn until all are empty; nothing is asked of a source before its turn.

    Only the first `at_once` of them take turns (None: all), and where one is empty, the next one takes its turns over.
    """
    coming = iter(sources)
    waiting = deque(islice(coming, at_once))
    while waiting:
        source = waiting.popleft()
        for thing in source:
            yield thing
            waiting.append(source)
            break
        else:
            waiting.extendleft(islice(coming, 1))
