"""Beyond one machine: calculated from what a submission costs in each part, not measured.

API and worker processes share nothing but Postgres and Valkey, so their number grows with the load. Postgres is one
machine, whose cores are counted here; Valkey works with one thread.
"""

from collections.abc import Mapping
from math import ceil
from typing import Final, NamedTuple

from benchmarks.growth.page import table

FULL: Final = 0.7
"""The share of a core that is planned with: beyond it, queues grow."""
POSTGRES_CORES: Final = 32
RATES: Final = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
MS: Final = 1_000
MB: Final = 1_000_000
HEAD: Final = (
    "submissions per second",
    "API processes",
    "worker processes",
    "Postgres cores",
    "Valkey thread",
    "WAL MB/s",
)


class Costs(NamedTuple):
    """CPU ms by part (`api`, `workers`, `postgres`, `valkey`) and bytes of WAL, per submission."""

    cpu_ms: Mapping[str, float]
    written: float


def calculated(costs: Costs) -> str:
    """What each rate needs, what is full first and what then is divided."""
    return f"{INTRODUCTION}\n\n{table(HEAD, [needs(costs, rate) for rate in RATES])}\n\n{limits(costs)}"


INTRODUCTION: Final = f"""\
**Beyond one machine** (calculated from the best row above, with every core {FULL:.0%} busy; not measured): API and
worker processes share nothing but Postgres and Valkey, so they are added as needed."""


def needs(costs: Costs, rate: int) -> list[str]:
    """A row of the table."""
    return [
        f"{rate:,}",
        f"{ceil(rate * costs.cpu_ms['api'] / MS / FULL)}",
        f"{ceil(rate * costs.cpu_ms['workers'] / MS / FULL)}",
        f"{rate * costs.cpu_ms['postgres'] / MS / FULL:.1f}",
        f"{rate * costs.cpu_ms['valkey'] / MS:.0%}",
        f"{rate * costs.written / MB:.0f}",
    ]


def limits(costs: Costs) -> str:
    """What is full first, in words."""
    postgres, valkey = POSTGRES_CORES * FULL * MS / costs.cpu_ms["postgres"], FULL * MS / costs.cpu_ms["valkey"]
    full = {f"Postgres on {POSTGRES_CORES} cores": postgres, "Valkey's one thread": valkey}
    first, second = sorted(full, key=lambda name: full[name])
    return LIMITS.format(
        api=FULL * MS / costs.cpu_ms["api"],
        worker=FULL * MS / costs.cpu_ms["workers"],
        first=first,
        at=full[first],
        second=second,
        then=full[second],
    )


LIMITS: Final = """\
One API process is full at {api:,.0f} submissions a second, one worker process at {worker:,.0f}; both are added. What
cannot be added is full first at {at:,.0f} a second ({first}), then at {then:,.0f} ({second}). Valkey divides in two by
a setting (`GRADELINE_QUEUE_REDIS_URL`: queues apart from statuses and events), and Postgres by tenant: every row
belongs to one, no query crosses it, so each group of tenants can have an installation of its own.

Not in this calculation, and met before those where everybody answers the same questions: a question's rating and its
figures are one row each, exact, and locked until the batch that moves them is committed. So batches that share a
question are recorded one after the other, on however many workers; and so are all batches from where they count
themselves by stage and minute until their commit. Nor does it know the network between machines."""
