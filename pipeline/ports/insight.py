"""What there is to know of one tenant's requests to models: figures, sums and counts."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Protocol, runtime_checkable

import msgspec


class Sums(msgspec.Struct, frozen=True):
    """What requests came to that began within the window.

    `calls` are those that ended, `usable` those of them that gave a usable reply, `under_way` those that did not end
    yet. Times are in seconds and None where nothing was timed, costs in nanodollars; `estimated_cost` is that of calls
    whose provider did not say what it booked, and of those under way or lost. `troubles` counts failures by their
    kind, `lost` those whose worker died; `failing_since` is when the first of them began.
    """

    calls: int = 0
    under_way: int = 0
    usable: int = 0
    mean_seconds: float | None = None
    p50_seconds: float | None = None
    p95_seconds: float | None = None
    first_text_p50_seconds: float | None = None
    first_text_p95_seconds: float | None = None
    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    known_cost: int = 0
    estimated_cost: int = 0
    cut_quotations: int = 0
    failing_since: datetime | None = None
    troubles: Mapping[str, int] = MappingProxyType({})


class Replies(msgspec.Struct, frozen=True):
    """Usable replies of today (UTC): `paid` were asked for, `hits` came from the journal without a request."""

    paid: int = 0
    hits: int = 0


class Serving(msgspec.Struct, frozen=True):
    """Answers of one arm within the window, by who wrote their feedback; `""` stands for the built-in words."""

    by_provider: Mapping[str, int]

    @property
    def assigned(self) -> int:
        """How many answers fell to the arm."""
        return sum(self.by_provider.values())


class Opinion(msgspec.Struct, frozen=True):
    """Learners' ratings within the window: how many, and their mean."""

    count: int
    mean: float


class Figures(msgspec.Struct, frozen=True):
    """Everything of one tenant; routes are named by provider and model, arms as `experiment/arm`."""

    routes: Mapping[tuple[str, str], Sums] = MappingProxyType({})
    arms: Mapping[str, Sums] = MappingProxyType({})
    replies: Mapping[str, Replies] = MappingProxyType({})
    arm_replies: Mapping[str, Replies] = MappingProxyType({})
    servings: Mapping[str, Serving] = MappingProxyType({})
    opinions: Mapping[str, Opinion] = MappingProxyType({})
    spent: int = 0


class Tally(msgspec.Struct, frozen=True):
    """Requests alike that ended today: how many, in which buckets, and what they come to.

    A bucket is the place of the first upper bound that is not exceeded; `trouble` is "" for usable replies. A token
    bucket is None where the provider did not say what it used, the seconds' one for lines of batches.
    """

    provider: str
    model: str
    purpose: str
    trouble: str
    count: int
    seconds_bucket: int | None
    input_bucket: int | None
    output_bucket: int | None
    seconds: float
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    reasoning_tokens: int
    cost: int


class Bounds(msgspec.Struct, frozen=True):
    """Upper bounds of buckets, growing: of durations in milliseconds, and of tokens."""

    durations_ms: tuple[int, ...]
    tokens: tuple[int, ...]


@runtime_checkable
class InsightStore(Protocol):
    """Looks through the ledger."""

    async def figures(self, tenant_id: int, *, minutes: int) -> Figures:
        """The tenant's figures over so many minutes until now; raises `Unavailable`."""
        ...

    async def tallies(self, tenant_id: int, bounds: Bounds) -> list[Tally]:
        """The tenant's settled requests that began today (UTC), counted into buckets; raises `Unavailable`."""
        ...
