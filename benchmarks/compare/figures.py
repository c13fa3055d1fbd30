"""What a comparison finds, as values."""

from typing import Final

import msgspec

from cli.bench.figures import Accepting, Spread

SERVERS: Final = frozenset({"postgres", "valkey"})


class EndToEnd(msgspec.Struct, frozen=True):
    """From the first POST to the last completion, by the database's record: how many, how long, per second."""

    submissions: int
    seconds: float
    per_second: float


class Measured(msgspec.Struct, frozen=True):
    """One system. `processes` counts its own, without Postgres and Valkey.

    `cpu_ms` are CPU milliseconds per submission by part, all the way; `database_bytes` and `wal_bytes` how
    much the database grew and how much it logged per submission, over the whole run; memory is in MiB by
    part (proportional set size). `door` is handing in while no worker runs, `accepting` while all of them
    have all they can do; `backlog` says how many submissions were open at the end of each of the latter.
    """

    letter: str
    name: str
    title: str
    processes: int
    idle: Spread
    door: tuple[Accepting, ...]
    accepting: tuple[Accepting, ...]
    backlog: tuple[int, ...]
    end_to_end: EndToEnd
    cpu_ms: dict[str, float]
    generator_cpu_ms: float
    database_bytes: float
    wal_bytes: float
    memory_mib: dict[str, float]

    @property
    def cpu_total_ms(self) -> float:
        """CPU milliseconds per submission of all parts."""
        return sum(self.cpu_ms.values())

    @property
    def memory_total_mib(self) -> float:
        """Memory of the system's own parts, without the two servers."""
        return sum(mib for part, mib in self.memory_mib.items() if part not in SERVERS)

    def accepting_at(self, concurrency: int) -> Accepting:
        """The figures of handing in with so many at once while workers are busy."""
        return next(found for found in self.accepting if found.concurrency == concurrency)

    @property
    def accepted_per_second(self) -> float:
        """The best rate of accepting while workers are busy, at whichever concurrency."""
        return max(found.per_second for found in self.accepting)

    @property
    def door_per_second(self) -> float:
        """The best rate of accepting while no worker runs."""
        return max(found.per_second for found in self.door)


class Limits(msgspec.Struct, frozen=True):
    """What the two servers can do at most, by concurrency.

    `commits` are single rows per second, each in a durable transaction of its own; `round_trips` commands
    per second, each waiting for its reply.
    """

    commits: dict[int, float]
    round_trips: dict[int, float]


class Comparison(msgspec.Struct, frozen=True):
    """Everything one run found; `load_before` is what others asked of the cores in the minute before it."""

    measured: tuple[Measured, ...]
    limits: Limits
    cores: int
    load_before: float
    seconds: float

    def of(self, letter: str) -> Measured | None:
        """The system of this letter, if it was measured."""
        return next((found for found in self.measured if found.letter == letter), None)
