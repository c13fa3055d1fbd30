"""What a comparison concludes from its figures, and how it is shown."""

from typing import Any

import msgspec
import pytest

from benchmarks.compare.figures import Comparison, EndToEnd, Limits, Measured
from benchmarks.compare.judge import promises
from benchmarks.compare.report import BEGIN, END, markdown, replaced
from benchmarks.compare.same_work import check_work, expected
from cli.bench.figures import Accepting, Spread
from pipeline.errors import Unavailable


def accepting(per_second: float, p99: float = 10.0) -> tuple[Accepting, ...]:
    return tuple(Accepting(number, 100, per_second, Spread(100, 1.0, 5.0, p99), 0) for number in (1, 32, 256))


def measured(letter: str, per_second: float, **other: Any) -> Measured:
    figures = Measured(
        letter=letter,
        name=letter,
        title=f"system {letter}",
        processes=2,
        idle=Spread(100, 10.0, 12.0, 15.0),
        door=accepting(per_second),
        accepting=accepting(per_second),
        backlog=(1, 2, 3),
        end_to_end=EndToEnd(100, 5.0, per_second),
        cpu_ms={"api": 1.0, "worker-1": 2.0, "postgres": 3.0, "valkey": 0.5},
        generator_cpu_ms=0.1,
        database_bytes=5_000.0,
        wal_bytes=9_000.0,
        memory_mib={"api": 100.0, "worker-1": 50.0, "postgres": 500.0, "valkey": 5.0},
    )
    return msgspec.structs.replace(figures, **other)


def compared(*systems: Measured) -> Comparison:
    return Comparison(systems, Limits({1: 5_000.0}, {1: 20_000.0}), 2, 0.1, 60.0)


SLOW = measured("b", 100.0, idle=Spread(100, 11.0, 12.0, 15.0))


def broken(*systems: Measured) -> list[str]:
    return [promise.text for promise in promises(compared(*systems)) if not promise.held]


def test_promises_hold_at_their_very_bounds() -> None:
    assert broken(measured("a", 2_500.0, accepting=accepting(2_000.0, p99=50.0)), SLOW, measured("d", 500.0)) == []


@pytest.mark.parametrize(
    ("worse", "named"),
    [
        ({"end_to_end": EndToEnd(100, 5.0, 2_499.0)}, "end to end: at least 25 × (b)"),
        ({"accepting": accepting(1_999.0)}, "accepted, pipeline saturated: at least 20 × (b)"),
        ({"accepting": accepting(2_500.0, p99=50.1)}, "p99 of accepting, 32 at once"),
        ({"idle": Spread(100, 11.0, 12.0, 15.0)}, "idle latency"),
        ({"database_bytes": 5_000.1}, "database bytes"),
    ],
)
def test_a_promise_that_is_missed_by_a_little_is_named(worse: dict[str, Any], named: str) -> None:
    [text] = broken(measured("a", 2_500.0, **worse), SLOW)
    assert text.startswith(named)


def test_the_better_of_the_others_is_the_measure() -> None:
    [text] = broken(measured("a", 2_500.0), SLOW, measured("c", 501.0), measured("d", 10.0))
    assert text == "end to end: at least 5 × the better of (c) and (d)"


def test_systems_that_were_left_out_break_no_promise() -> None:
    assert promises(compared(SLOW)) == []
    assert broken(measured("a", 1.0)) == []


def test_a_broken_promise_and_every_ratio_stand_in_the_report() -> None:
    text = markdown(compared(measured("a", 2_400.0), SLOW))
    assert "| end to end: at least 25 × (b) | 24.0 × (2,400/s) | **no** |" in text
    assert "| end to end, per second | 2,400 (24 ×) | 100 |" in text


def test_a_report_needs_no_other_system() -> None:
    assert "| end to end, per second | 2,400 |" in markdown(compared(measured("a", 2_400.0)))


def test_only_our_part_of_the_page_changes() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter <!-- growth:x --> kept"
    assert replaced(page, "new") == f"before\n{BEGIN}\nnew\n{END}\nafter <!-- growth:x --> kept"


def test_a_page_without_a_place_for_it_is_refused() -> None:
    with pytest.raises(ValueError, match="no place"):
        replaced(f"{END} {BEGIN}", "new")


def test_a_system_that_skipped_work_gets_no_figures() -> None:
    counted = expected(100)
    check_work("c", counted, 100)
    with pytest.raises(Unavailable, match="skill_answers 399 for 400"):
        check_work("c", {**counted, "skill_answers": 399}, 100)
