"""What age costs: bytes, rate and latency after up to a million completed submissions, with vacuum as it comes.

The first of them go through the pipeline, so that their rows are written and rewritten as they always are; the
rest are copies of real ones, inserted as they are in the end. The difference is what rewriting leaves behind.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from benchmarks.growth.chart import Chart, Series
from benchmarks.growth.page import Section, table
from benchmarks.growth.seed import complete_copies, settle
from benchmarks.growth.system import System, pass_through, running_system, value
from cli.bench import load
from cli.bench.cost import MIB
from cli.bench.figures import Spread

WORKERS: Final = 1
REAL: Final = 40_000
PARTS: Final = 4
LEVELS: Final = (100_000, 300_000, 1_000_000)
LEAST: Final = 1_000
PROBED: Final = 4_000
IDLE: Final = 100
LARGEST: Final = 7

SIZES: Final = b"""
    SELECT relname, pg_table_size(relid)::float, pg_indexes_size(relid)::float FROM pg_stat_user_tables
"""
VACUUMS: Final = b"""
    SELECT relname, n_dead_tup::float / greatest(n_live_tup, 1), autovacuum_count,
        n_tup_hot_upd::float / greatest(n_tup_upd, 1), n_tup_upd
    FROM pg_stat_user_tables
"""

TEXT: Final = """\
{real:,} submissions of three answers go through the pipeline; from there to {most:,} they are copies of real ones, made
by SQL: submissions, answers, stages, results and learners as they are in the end, inserted once instead of rewritten
stage by stage, without skills and figures. At each age {probed:,} more go through the pipeline for the rate, and then
some one at a time for the latency. The copies are vacuumed and analysed when they are made; otherwise nobody vacuums
but autovacuum, as `gradeline up` sets it."""
AGE_HEAD: Final = (
    "completed submissions", "tables MiB", "indexes MiB", "completed per second", "one alone, p50 ms", "p99 ms"
)  # fmt: skip
TABLE_HEAD: Final = (
    "bytes per submission", "real: table", "real: indexes", "copied: table", "copied: indexes",
    "updates on the same page",
    "dead rows after the real ones", "autovacuums",
)  # fmt: skip


class Size(NamedTuple):
    """Bytes of a table and of its indexes."""

    table: float
    indexes: float

    def per(self, before: "Size", number: int) -> tuple[float, float]:
        """What was added to each, per submission."""
        return (self.table - before.table) / number, (self.indexes - before.indexes) / number


class Vacuumed(NamedTuple):
    """How a table is kept: dead rows as a share of living ones, autovacuums, share of updates that stay on the page."""

    dead: float
    autovacuums: int
    same_page: float
    updates: int


Sizes = Mapping[str, Size]


class Age(NamedTuple):
    """What was found with so many completed."""

    submissions: int
    size: Size
    per_second: float
    whole: Spread


class Written(NamedTuple):
    """What so many submissions added to each table."""

    number: int
    before: Sizes
    after: Sizes


def measure(scale: float, say: Callable[[str], None]) -> Section:
    """Each age, in one system."""
    real, probed = max(2_000, round(REAL * scale)), max(200, round(PROBED * scale))
    levels = [max(2 * real, round(level * scale)) for level in LEVELS]
    with running_system(WORKERS, say) as system:
        young = sizes(system)
        ages = [through_the_pipeline(system, real // PARTS, say) for _ in range(PARTS)]
        through, kept = Written(real, young, sizes(system)), vacuums(system)
        for level in levels:
            say(f"making copies up to {level:,}")
            before, number = sizes(system), max(LEAST, level - completed_rows(system))
            complete_copies(system, number, f"old-{level}")
            settle(system)
            copied = Written(number, before, sizes(system))
            ages.append(through_the_pipeline(system, probed, say))
        return section(ages, through, copied, kept, TEXT.format(real=real, most=levels[-1], probed=probed))


def through_the_pipeline(system: System, number: int, say: Callable[[str], None]) -> Age:
    """So many more at full speed, then some alone; how fast they went, and how large all is."""
    per_second = asyncio.run(pass_through(system, load.bodies(), number)).per_second
    whole = asyncio.run(load.idle_wait(system.server, load.bodies(), IDLE))
    there, found = completed_rows(system), sizes(system).values()
    say(f"{per_second:,.0f} a second with {there:,} completed")
    return Age(there, Size(sum(one.table for one in found), sum(one.indexes for one in found)), per_second, whole)


def completed_rows(system: System) -> int:
    """How many submissions are in the table."""
    return int(value(system, "SELECT count(*) FROM submissions"))


def sizes(system: System) -> Sizes:
    """Every table's bytes."""
    return {name: Size(heap, indexes) for name, heap, indexes in system.database.execute(SIZES)}


def vacuums(system: System) -> Mapping[str, Vacuumed]:
    """How every table is kept."""
    return {name: Vacuumed(*rest) for name, *rest in system.database.execute(VACUUMS)}


def section(ages: Sequence[Age], through: Written, copied: Written, kept: Mapping[str, Vacuumed], text: str) -> Section:
    """Everything found, for the page."""
    return Section(
        heading="With age",
        text=text,
        charts={
            "volume-bytes": line("Space in the database", "MiB", [
                Series("tables", [(one.submissions, one.size.table / MIB) for one in ages]),
                Series("indexes", [(one.submissions, one.size.indexes / MIB) for one in ages]),
            ]),
            "volume-rate": line("Completed per second, by what is already there", "per second", [
                Series("completed", [(one.submissions, one.per_second) for one in ages]),
            ]),
        },
        table="\n\n".join(
            [table(AGE_HEAD, [age_row(one) for one in ages]), table(TABLE_HEAD, table_rows(through, copied, kept))]
        ),
    )  # fmt: skip


def line(title: str, y_label: str, series: Sequence[Series]) -> Chart:
    """A chart over the submissions that are there."""
    return Chart(title, "completed submissions", y_label, series, log_x=True)


def age_row(one: Age) -> list[str]:
    mib = [f"{one.size.table / MIB:,.0f}", f"{one.size.indexes / MIB:,.0f}"]
    return [f"{one.submissions:,}", *mib, f"{one.per_second:,.0f}", f"{one.whole.p50:.1f}", f"{one.whole.p99:.1f}"]


def table_rows(through: Written, copied: Written, kept: Mapping[str, Vacuumed]) -> list[list[str]]:
    """The tables that grow most, and all together."""
    largest = sorted(through.after, key=lambda name: -sum(added(through, name)))[:LARGEST]
    rows = [[name, *bytes_of(through, [name]), *bytes_of(copied, [name]), *kept_row(kept[name])] for name in largest]
    every = list(through.after)
    return [*rows, ["all", *bytes_of(through, every), *bytes_of(copied, every), "", "", ""]]


def added(written: Written, name: str) -> tuple[float, float]:
    return written.after[name].per(written.before[name], written.number)


def bytes_of(written: Written, names: Sequence[str]) -> list[str]:
    """Bytes per submission in these tables, and in their indexes."""
    both = [added(written, name) for name in names]
    return [f"{sum(one[part] for one in both):,.0f}" for part in (0, 1)]


def kept_row(one: Vacuumed) -> list[str]:
    return [f"{one.same_page:.0%}" if one.updates else "", f"{one.dead:.1%}", str(one.autovacuums)]
