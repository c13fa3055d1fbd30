"""How good predicted probabilities of right answers were, from counts that fit in memory however long the log.

    AUC          the chance that a right answer was predicted higher than a wrong one, ties counting half
    log loss     mean of -ln(probability given to what came), probabilities held in [1e-6, 1 - 1e-6]
    calibration  per tenth of the scale: how many predictions, their mean, the share that came right
    rmse         root of the mean squared difference

Predictions are ranked on a grid of a hundred-thousandth: what lies within one step counts as tied. So the AUC is
that of the predictions rounded to five decimals, exactly, and a tally has the same size after a million answers
as after ten.

Sources: J. A. Hanley, B. J. McNeil, "The meaning and use of the area under a receiver operating characteristic
(ROC) curve", Radiology 143 (1982), for the AUC as a share of pairs; for the calibration table M. H. DeGroot,
S. E. Fienberg, "The comparison and evaluation of forecasters", The Statistician 32 (1983).
"""

from array import array
from collections.abc import Iterable
from math import log, sqrt
from typing import Final

import msgspec

GRID: Final = 100_000
BINS: Final = 10
LEAST_PROBABILITY: Final = 1e-6
"""A prediction of 0 that came true would cost infinitely much; it costs 13.8."""


class Bin(msgspec.Struct, frozen=True):
    """Predictions in [low, high), the last one including 1; the means are None where there are none."""

    low: float
    high: float
    answers: int
    predicted: float | None
    observed: float | None


class Measures(msgspec.Struct, frozen=True):
    """How good predictions were; `auc` is None where all answers were right or all were wrong."""

    answers: int
    auc: float | None
    log_loss: float
    rmse: float
    calibration_error: float
    calibration: tuple[Bin, ...]


class Tally:
    """Predictions and what came, counted one by one."""

    def __init__(self) -> None:
        self._right = array("q", bytes(8 * (GRID + 1)))
        self._wrong = array("q", bytes(8 * (GRID + 1)))
        self._loss = 0.0
        self._squares = 0.0
        self._bin_answers = [0] * BINS
        self._bin_right = [0] * BINS
        self._bin_predicted = [0.0] * BINS

    def add(self, predicted: float, *, right: bool) -> None:
        """Count one answer that was expected to be right with probability `predicted`, in [0, 1]."""
        place = min(int(predicted * BINS), BINS - 1)
        self._bin_answers[place] += 1
        self._bin_right[place] += right
        self._bin_predicted[place] += predicted
        (self._right if right else self._wrong)[round(predicted * GRID)] += 1
        self._loss += loss_of(predicted, right=right)
        self._squares += (right - predicted) ** 2

    @property
    def answers(self) -> int:
        """How many were counted."""
        return sum(self._bin_answers)

    def measures(self) -> Measures:
        """What has been counted so far (at least one answer)."""
        bins = tuple(self._bin(place) for place in range(BINS))
        return Measures(
            answers=self.answers,
            auc=area_under_curve(self._right, self._wrong),
            log_loss=self._loss / self.answers,
            rmse=sqrt(self._squares / self.answers),
            calibration_error=calibration_error(bins),
            calibration=bins,
        )

    def _bin(self, place: int) -> Bin:
        answers = self._bin_answers[place]
        return Bin(
            low=place / BINS,
            high=(place + 1) / BINS,
            answers=answers,
            predicted=self._bin_predicted[place] / answers if answers else None,
            observed=self._bin_right[place] / answers if answers else None,
        )


def loss_of(predicted: float, *, right: bool) -> float:
    """-ln of the probability that was given to what came."""
    given = predicted if right else 1.0 - predicted
    return -log(min(max(given, LEAST_PROBABILITY), 1.0 - LEAST_PROBABILITY))


def area_under_curve(right: Iterable[int], wrong: Iterable[int]) -> float | None:
    """The AUC of two histograms over the same ascending grid; None where one of them is empty."""
    won = below = rights = 0
    for right_here, wrong_here in zip(right, wrong, strict=True):
        won += right_here * (2 * below + wrong_here)
        below += wrong_here
        rights += right_here
    pairs = rights * below
    return won / (2 * pairs) if pairs else None


def calibration_error(bins: Iterable[Bin]) -> float:
    """The mean distance between predicted and observed share, each bin weighing as many answers as it has."""
    total = distance = 0.0
    for one in bins:
        if one.predicted is not None and one.observed is not None:
            total += one.answers
            distance += one.answers * abs(one.predicted - one.observed)
    return distance / total if total else 0.0


def rank_correlation(first: Iterable[float], second: Iterable[float]) -> float:
    """Spearman's ρ: Pearson's r of the ranks, tied values sharing their mean rank.

    Both are of the same length; raises `ZeroDivisionError` where all values of one are the same.
    """
    one, other = ranks(first), ranks(second)
    middle = (len(one) + 1) / 2
    joint = sum((a - middle) * (b - middle) for a, b in zip(one, other, strict=True))
    return joint / sqrt(sum((a - middle) ** 2 for a in one) * sum((b - middle) ** 2 for b in other))


def ranks(values: Iterable[float]) -> list[float]:
    """The rank of each value, from 1; tied values share their mean rank."""
    known = list(values)
    order = sorted(range(len(known)), key=known.__getitem__)
    found = [0.0] * len(known)
    begin = 0
    while begin < len(order):
        end = begin + 1
        while end < len(order) and known[order[end]] == known[order[begin]]:
            end += 1
        for place in order[begin:end]:
            found[place] = (begin + 1 + end) / 2
        begin = end
    return found
