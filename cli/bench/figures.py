"""What a bench finds, as values, and its arithmetic."""

from collections.abc import Sequence
from math import ceil

import msgspec


class Spread(msgspec.Struct, frozen=True):
    """A distribution of times, in milliseconds; percentiles by nearest rank."""

    samples: int
    p50: float
    p95: float
    p99: float


class Accepting(msgspec.Struct, frozen=True):
    """Handing in at a concurrency: accepted per second, and how long each POST took (ms)."""

    concurrency: int
    submissions: int
    per_second: float
    post: Spread
    refused: int


class Pipeline(msgspec.Struct, frozen=True):
    """From the first acceptance to the last completion, by the server's clock; `latency` is each one's own (ms)."""

    submissions: int
    per_second: float
    latency: Spread


class Cost(msgspec.Struct, frozen=True):
    """What one submission costs on this machine: CPU milliseconds by part, and bytes in the database."""

    cpu_ms: dict[str, float]
    database_bytes: float | None


class Findings(msgspec.Struct, frozen=True):
    """Everything measured; what could not be is None. Memory is in MiB by part (proportional set size)."""

    idle_wait: Spread
    idle_poll: Spread
    accepting: tuple[Accepting, ...]
    pipeline: Pipeline
    cost: Cost | None
    memory_mib: dict[str, float] | None
    generator_cpu_share: float
    """CPU seconds of the load generator per second of measuring: how much it took from the server."""


def spread(seconds: Sequence[float]) -> Spread:
    """The distribution of at least one time."""
    ordered = sorted(seconds)
    return Spread(len(ordered), *(round(rank(ordered, share) * 1000, 2) for share in (0.50, 0.95, 0.99)))


def rank(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all values does not exceed."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)]
