"""The measures are what one computes by hand."""

from math import log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.learning.evaluation import Tally, loss_of, rank_correlation, ranks

predictions = st.integers(0, 100_000).map(lambda steps: steps / 100_000)


def tally(*answers: tuple[float, bool]) -> Tally:
    counted = Tally()
    for predicted, right in answers:
        counted.add(predicted, right=right)
    return counted


def test_the_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    # Pairs right/wrong: .8>.4 .8>.6 .5>.4 .5<.6: three of four.
    assert tally((0.8, True), (0.5, True), (0.4, False), (0.6, False)).measures().auc == 0.75


def test_a_tie_counts_half() -> None:
    assert tally((0.5, True), (0.5, False)).measures().auc == 0.5
    assert tally((0.5, True), (0.5, False), (0.2, False)).measures().auc == 0.75


def test_without_both_outcomes_there_is_no_auc() -> None:
    assert tally((0.5, True), (0.7, True)).measures().auc is None


@given(st.lists(st.tuples(predictions, st.booleans()), min_size=1))
def test_the_auc_of_the_histogram_is_that_of_all_pairs(answers: list[tuple[float, bool]]) -> None:
    pairs = [(a, b) for a, one in answers if one for b, other in answers if not other]
    won = sum((a > b) + (a == b) / 2 for a, b in pairs)
    measured = tally(*answers).measures().auc
    assert measured == (pytest.approx(won / len(pairs)) if pairs else None)


def test_log_loss_and_rmse_are_the_hand_computed_means() -> None:
    measures = tally((0.8, True), (0.4, False)).measures()
    assert measures.log_loss == pytest.approx(-(log(0.8) + log(0.6)) / 2)
    assert measures.rmse == pytest.approx(sqrt((0.04 + 0.16) / 2))


def test_a_wrong_certainty_costs_much_but_not_infinitely_much() -> None:
    assert loss_of(0.0, right=True) == loss_of(1.0, right=False) == pytest.approx(-log(1e-6))


def test_calibration_compares_means_bin_by_bin() -> None:
    measures = tally((0.12, False), (0.18, True), (0.9, True), (1.0, True)).measures()
    second, last = measures.calibration[1], measures.calibration[9]
    assert (second.answers, second.observed, last.answers, last.observed) == (2, 0.5, 2, 1.0)
    assert second.predicted == pytest.approx(0.15)
    assert last.predicted == pytest.approx(0.95)
    assert (last.low, last.high) == (0.9, 1.0)
    assert measures.calibration[5].observed is None
    assert measures.calibration_error == pytest.approx((2 * 0.35 + 2 * 0.05) / 4)


def test_tied_values_share_their_mean_rank() -> None:
    assert ranks([3.0, 1.0, 3.0, 2.0]) == [3.5, 1.0, 3.5, 2.0]


def test_rank_correlation_is_spearmans() -> None:
    # d = (1, 1, 0, 0): 1 - 6·2 / (4·15) = 0.8
    assert rank_correlation([1, 2, 3, 4], [20, 10, 30, 40]) == pytest.approx(0.8)
    assert rank_correlation([1, 2, 3], [9, 5, 1]) == pytest.approx(-1.0)
