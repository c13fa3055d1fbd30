"""Circles in what needs what."""

from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Final

MOST_CIRCLES: Final = 20
"""How many are looked for; each takes a walk through everything."""
MOST_WALKED: Final = 2_000_000
"""So many needs are walked along in all, which takes some two seconds: of large graphs fewer circles are told."""


def circles(
    needed: Mapping[str, Collection[str]], most: int = MOST_CIRCLES, most_walked: int = MOST_WALKED
) -> Iterator[tuple[str, ...]]:
    """Circles in a graph, as `a, b, …, a`: each needs the one behind it. Not more than `most`.

    `needed` gives what each node needs; what is no node itself needs nothing. The circles found share no node, begin
    with their smallest name, and depend on nothing but the graph; where there is any circle, at least one is found.
    """
    left = {name: sorted(set(others)) for name, others in sorted(needed.items())}
    needs = sum(map(len, left.values()))
    for _ in range(min(most, max(most_walked // max(needs, 1), 1))):
        circle = _one(left)
        if circle is None:
            return
        yield circle
        for name in circle:
            left.pop(name, None)
        left = {name: [other for other in others if other not in circle] for name, others in left.items()}


def _one(needed: Mapping[str, Collection[str]]) -> tuple[str, ...] | None:
    try:
        TopologicalSorter(needed).prepare()
    except CycleError as error:
        # The error lists each before the one that needs it, and the first again at the end.
        members = error.args[1][:0:-1]
        start = members.index(min(members))
        return (*members[start:], *members[:start], members[start])
    return None
