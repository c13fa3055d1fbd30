"""A comparison as Markdown, and its place in a page."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks.compare.figures import Comparison, Limits, Measured
from benchmarks.compare.judge import promises
from cli.bench.figures import Accepting

BEGIN: Final = "<!-- compare -->"
END: Final = "<!-- /compare -->"

Figure = Callable[[Measured], float]
Pick = Callable[[Measured], Sequence[Accepting]]


def markdown(found: Comparison) -> str:
    """The tables: promises, figures of each system with its ratio to (b), limits."""
    parts = [promise_table(found), figure_table(found), limit_table(found.limits), footnote(found)]
    return "\n\n".join(parts)


def promise_table(found: Comparison) -> str:
    rows = [[promise.text, promise.found, "yes" if promise.held else "**no**"] for promise in promises(found)]
    return table(["Promise", "found", "held"], rows)


def figure_table(found: Comparison) -> str:
    heads = [f"({one.letter}) {one.title}" for one in found.measured]
    return table(["", *heads], [[name, *cells] for name, cells in figure_rows(found)])


def figure_rows(found: Comparison) -> Iterator[tuple[str, list[str]]]:
    """Each measure with a cell per system."""

    def row(name: str, figure: Figure, digits: int = 0) -> tuple[str, list[str]]:
        return name, [cell(figure(one), found, figure, digits, ours=one.letter != "b") for one in found.measured]

    def accepted(name: str, pick: Pick) -> Iterator[tuple[str, list[str]]]:
        for at, one in enumerate(pick(found.measured[0])):
            yield row(f"{name}, {one.concurrency} at once, per second", rate_at(pick, at))
            yield "  p50 / p99, ms", [spread(pick(m)[at]) for m in found.measured]

    yield row("end to end, per second", lambda m: m.end_to_end.per_second)
    yield from accepted("accepted, pipeline saturated", lambda m: m.accepting)
    yield from accepted("accepted, workers resting", lambda m: m.door)
    yield row("idle, POST to completed, p50, ms", lambda m: m.idle.p50, 1)
    yield row("idle, POST to completed, p99, ms", lambda m: m.idle.p99, 1)
    yield row("CPU per submission, ms", lambda m: m.cpu_total_ms, 2)
    yield "  API / workers / Postgres / Valkey", [cpu_parts(m) for m in found.measured]
    yield row("database bytes per submission", lambda m: m.database_bytes)
    yield row("WAL bytes per submission", lambda m: m.wal_bytes)
    yield row("memory of API and workers, MiB", lambda m: m.memory_total_mib)
    yield "processes, without the servers", [str(m.processes) for m in found.measured]


def rate_at(pick: Pick, at: int) -> Figure:
    return lambda measured: pick(measured)[at].per_second


def cell(value: float, found: Comparison, figure: Figure, digits: int, *, ours: bool) -> str:
    """A figure, with its ratio to that of (b) where (b) was measured."""
    text = f"{value:,.{digits}f}"
    orm = found.of("b")
    return text if orm is None or not ours else f"{text} ({value / figure(orm):.2g} ×)"


def spread(found: Accepting) -> str:
    return f"{found.post.p50:,.1f} / {found.post.p99:,.1f}"


def cpu_parts(found: Measured) -> str:
    workers = sum(milliseconds for part, milliseconds in found.cpu_ms.items() if part.startswith("worker"))
    parts = (found.cpu_ms["api"], workers, found.cpu_ms["postgres"], found.cpu_ms["valkey"])
    return " / ".join(f"{milliseconds:.2f}" for milliseconds in parts)


def limit_table(limits: Limits) -> str:
    """What the servers can do at most."""
    heads = ["The servers' limits, per second", *(f"{number} at once" for number in limits.commits)]
    rows = [
        ["durable commits of one row (pgbench; at most 190 connections)", *map(whole, limits.commits.values())],
        ["Valkey round trips (SET of 100 bytes)", *map(whole, limits.round_trips.values())],
    ]
    return table(heads, rows)


def whole(value: float) -> str:
    return f"{value:,.0f}"


def footnote(found: Comparison) -> str:
    counts = ", ".join(f"({one.letter}) {one.end_to_end.submissions:,}" for one in found.measured)
    return (
        f"Measured on {found.cores} cores in {found.seconds:.0f} s, with a load of {found.load_before} in the minute "
        f"before; submissions taken end to end: {counts}. "
        "In brackets: the ratio to (b)."
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns but the first hold numbers."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_into(page: Path, text: str) -> None:
    """Put the text between our marks of a page, which must be there."""
    page.write_text(replaced(page.read_text(), text))


def replaced(page: str, text: str) -> str:
    """The page with what stands between our marks exchanged; raises `ValueError` where a mark is missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no place for the comparison: {BEGIN} … {END}")
    return f"{before}{BEGIN}\n{text}\n{END}{after}"
