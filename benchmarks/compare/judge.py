"""Whether the promises about speed hold, from what a comparison found."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from benchmarks.compare.figures import Comparison, Measured

END_TO_END: Final = 25.0
END_TO_END_OF_BEST: Final = 5.0
ACCEPTING: Final = 20.0
ACCEPT_P99_MS: Final = 50.0
AT_ONCE: Final = 32


class Promise(NamedTuple):
    """A promise, what was found, and whether it held."""

    text: str
    found: str
    held: bool


def promises(found: Comparison) -> list[Promise]:
    """Those promises that this comparison can judge: some need systems that may have been left out."""
    gradeline, orm = found.of("a"), found.of("b")
    if gradeline is None:
        return []
    judged = [prompt_at_the_door(gradeline)]
    if orm is not None:
        judged += beside_the_orm(gradeline, orm)
    others = [other for other in found.measured if other.letter in {"c", "d"}]
    if others:
        judged.append(beside_the_best(gradeline, others))
    return judged


def prompt_at_the_door(gradeline: Measured) -> Promise:
    p99 = gradeline.accepting_at(AT_ONCE).post.p99
    return Promise(
        f"p99 of accepting, {AT_ONCE} at once, pipeline saturated: at most {ACCEPT_P99_MS:.0f} ms",
        f"{p99:.0f} ms",
        p99 <= ACCEPT_P99_MS,
    )


def beside_the_orm(gradeline: Measured, orm: Measured) -> Iterator[Promise]:
    yield ratio("end to end", gradeline.end_to_end.per_second, orm.end_to_end.per_second, END_TO_END, "(b)")
    yield ratio(
        "accepted, pipeline saturated", gradeline.accepted_per_second, orm.accepted_per_second, ACCEPTING, "(b)"
    )
    yield Promise(
        "idle latency, POST to completed: below that of (b)",
        f"{gradeline.idle.p50:.1f} ms against {orm.idle.p50:.1f} ms",
        gradeline.idle.p50 < orm.idle.p50,
    )
    yield Promise(
        "database bytes per submission: at most those of (b)",
        f"{gradeline.database_bytes:,.0f} against {orm.database_bytes:,.0f}",
        gradeline.database_bytes <= orm.database_bytes,
    )


def beside_the_best(gradeline: Measured, others: list[Measured]) -> Promise:
    best = max(other.end_to_end.per_second for other in others)
    return ratio("end to end", gradeline.end_to_end.per_second, best, END_TO_END_OF_BEST, "the better of (c) and (d)")


def ratio(what: str, ours: float, theirs: float, wanted: float, of: str) -> Promise:
    """That a rate is so many times another."""
    return Promise(
        f"{what}: at least {wanted:.0f} × {of}", f"{ours / theirs:.1f} × ({ours:,.0f}/s)", ours >= wanted * theirs
    )
