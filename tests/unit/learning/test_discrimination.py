"""The statistics of classical item analysis, against their textbook forms."""

import statistics
from math import isclose, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.learning.discrimination import at_most, correlation, surplus, tails

VALUES = st.lists(st.tuples(st.integers(0, 1), st.integers(-1000, 1000)), min_size=3, max_size=60)


@given(VALUES)
def test_the_correlation_with_rights_and_wrongs_is_the_point_biserial(pairs: list[tuple[int, int]]) -> None:
    """r = (mean of who is right - mean of all) / s · √(p / q), as Crocker and Algina give it."""
    xs, ys = [float(x) for x, _ in pairs], [float(y) for _, y in pairs]
    r = correlation(xs, ys)
    p, spread = statistics.fmean(xs), statistics.pstdev(ys)
    if p in {0.0, 1.0} or spread == 0:
        assert r is None
        return
    right = statistics.fmean([y for x, y in pairs if x])
    assert r is not None
    assert isclose(r, (right - statistics.fmean(ys)) / spread * sqrt(p / (1 - p)), abs_tol=1e-9)


def test_a_correlation_of_nothing_is_unknown() -> None:
    assert correlation([], []) is None


def test_the_tails_are_27_percent_from_each_end() -> None:
    lower, upper = tails(list(range(100)))
    assert (list(lower), list(upper)) == (list(range(27)), list(range(73, 100)))


@pytest.mark.parametrize("count", range(8))
def test_the_tails_never_overlap(count: int) -> None:
    lower, upper = tails(list(range(count)))
    assert len(lower) == len(upper) == min(max(round(0.27 * count), 1), count // 2)
    assert not set(lower) & set(upper)


def test_the_upper_end_of_a_correlation_is_fishers() -> None:
    """r = 0.5 of 103 pairs: z = 0.5493 ± 1.96 / 10, so up to 0.632."""
    assert round(at_most(0.5, 103, 1.96), 3) == 0.632
    assert at_most(0.1, 3, 1.96) == 1.0
    assert at_most(1.0, 10, 1.96) <= 1.0


def test_a_surplus_is_counted_in_standard_errors() -> None:
    """0.6 against 0.4 of 50 each: 0.2 / √(2 · 0.25 / 50) = 2."""
    assert isclose(surplus(0.6, 0.4, 50), 2.0)
    assert surplus(1.0, 1.0, 50) == surplus(0.5, 0.4, 0) == 0.0
