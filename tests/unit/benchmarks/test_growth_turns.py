"""Comparing what was measured by turns."""

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.growth.turns import in_turn, times_as_long

MILLISECONDS = st.lists(st.floats(1, 50), min_size=1, max_size=9)
SPEEDS = st.floats(0.2, 5)


def test_everybody_comes_first_equally_often() -> None:
    orders = [in_turn("abc", turn) for turn in range(6)]
    assert [order[0] for order in orders] == [*"abcabc"]
    assert all(sorted(order) == [*"abc"] for order in orders)


@given(st.lists(st.tuples(MILLISECONDS, SPEEDS), min_size=1, max_size=9))
def test_a_machine_that_drifts_changes_no_ratio(turns: list[tuple[list[float], float]]) -> None:
    """Each turn runs at a speed of its own, and the other takes half as long again in every one of them."""
    first = [[one * speed for one in times] for times, speed in turns]
    other = [[one * speed * 1.5 for one in times] for times, speed in turns]
    assert abs(times_as_long(first, other) - 1.5) < 1e-9


def test_one_turn_that_was_disturbed_does_not_decide() -> None:
    calm, disturbed = [10.0, 10.0, 10.0], [90.0, 95.0, 99.0]
    assert times_as_long([calm] * 5, [*[calm] * 4, disturbed]) == 1.0
    assert times_as_long([calm] * 5, [calm, *[disturbed] * 4]) > 9
