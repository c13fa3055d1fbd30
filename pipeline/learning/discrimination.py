"""How well a question tells strong learners from weak ones: the statistics of classical item analysis.

    r  = Σ (xᵢ - x̄)(aᵢ - ā) / √(Σ (xᵢ - x̄)² · Σ (aᵢ - ā)²)      item-rest correlation
    D  = mean score of the upper 27 % - mean score of the lower 27 %

x is a learner's score on the question, a the learner's ability as the rest of the questions tells it: without the
question itself, or it would be correlated with itself. Where x is 0 or 1, r is the point-biserial correlation.

Sources: L. Crocker, J. Algina, "Introduction to Classical and Modern Test Theory" (1986), chapter 14, for the
(corrected) point-biserial and D; T. L. Kelley, "The selection of upper and lower groups for the validation of test
items", Journal of Educational Psychology 30 (1939), for 27 %; R. A. Fisher, "On the 'probable error' of a coefficient
of correlation deduced from a small sample", Metron 1 (1921), for the interval of r by z = atanh(r) with standard error
1/√(n - 3); the test of two shares is that of every textbook, with their common share in its variance.
"""

from collections.abc import Sequence
from math import atanh, fsum, sqrt, tanh
from typing import Final, TypeVar

TAIL: Final = 0.27
LEAST_FOR_INTERVAL: Final = 4
NEARLY_ONE: Final = 1 - 1e-12
SMALLEST_SPREAD: Final = 1e-12

Item = TypeVar("Item")


def correlation(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    """Pearson's r of two equally long series; None where one of them does not vary."""
    if not xs:
        return None
    mean_x, mean_y = fsum(xs) / len(xs), fsum(ys) / len(ys)
    spread_x = fsum((x - mean_x) ** 2 for x in xs)
    spread_y = fsum((y - mean_y) ** 2 for y in ys)
    if min(spread_x, spread_y) < SMALLEST_SPREAD:
        return None
    together = fsum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    return min(max(together / sqrt(spread_x * spread_y), -1.0), 1.0)


def at_most(r: float, count: int, quantile: float) -> float:
    """The upper end of the one-sided interval of a correlation of `count` pairs, by the normal `quantile`."""
    if count < LEAST_FOR_INTERVAL:
        return 1.0
    r = min(max(r, -NEARLY_ONE), NEARLY_ONE)
    return tanh(atanh(r) + quantile / sqrt(count - 3))


def tails(ranked: Sequence[Item]) -> tuple[Sequence[Item], Sequence[Item]]:
    """The lower and the upper 27 % of what is ranked from weak to strong, at least one each where there are two."""
    size = min(max(round(TAIL * len(ranked)), 1), len(ranked) // 2)
    return ranked[:size], ranked[len(ranked) - size :]


def surplus(upper: float, lower: float, size: int) -> float:
    """How many standard errors a share of `upper` lies above one of `lower`, each of `size` learners."""
    common = (upper + lower) / 2
    error = sqrt(2 * common * (1 - common) / size) if size else 0.0
    return 0.0 if error < SMALLEST_SPREAD else (upper - lower) / error
