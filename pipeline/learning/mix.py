"""How many questions of each kind are recommended."""

from collections.abc import Mapping
from math import ceil
from types import MappingProxyType
from typing import Final

import msgspec

from pipeline.learning.candidate import Kind

MIX: Final[Mapping[Kind, float]] = MappingProxyType({Kind.WEAKNESS: 0.6, Kind.REVIEW: 0.2, Kind.CHALLENGE: 0.2})
LEAST_WEAKNESS: Final = 0.5
"""A mix that gives weaknesses at least this share never loses it to rounding."""


class Plan(msgspec.Struct, frozen=True):
    """How many questions to recommend, and which share each kind has."""

    count: int = 10
    mix: Mapping[Kind, float] = MIX


def quotas(mix: Mapping[Kind, float], count: int) -> dict[Kind, int]:
    """Split `count` by the shares in `mix` (of any sum > 0): largest remainders first, then in mix order.

    Where weaknesses have at least half of the mix, they have at least half of the count.
    """
    total = sum(mix.values())
    exact = {kind: count * share / total for kind, share in mix.items()}
    split = {kind: int(share) for kind, share in exact.items()}
    by_remainder = sorted(exact, key=lambda kind: split[kind] - exact[kind])
    for kind in by_remainder[: count - sum(split.values())]:
        split[kind] += 1
    if mix.get(Kind.WEAKNESS, 0.0) >= LEAST_WEAKNESS * total:
        _give(split, Kind.WEAKNESS, ceil(count * LEAST_WEAKNESS))
    return split


def _give(split: dict[Kind, int], kind: Kind, least: int) -> None:
    """Make `kind` have at least `least`, at the cost of those that have the most, the last of them first."""
    while split[kind] < least:
        richest = max((other for other in reversed(split) if other is not kind), key=lambda other: split[other])
        split[richest] -= 1
        split[kind] += 1
