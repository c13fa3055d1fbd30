"""How far a rule agrees with people's judgements of the same answers.

    AUC               the chance that an answer called right has a higher fraction than one called wrong, ties half
    accuracy          share of answers that the rule calls as people do: right from the key's threshold on
    macro-F1          mean of the F1 of "right" and of "wrong", so that the rarer of both counts as much
    coverage          share that the rule decides by itself; the rest is `needs_review`
    covered accuracy  accuracy among those

What the best threshold would gain is told by cross-validation over questions: for each fifth of the questions, the
threshold with the highest macro-F1 on the other four is applied to it. Token Dice, the share of common words, is
measured in the same way as a baseline.

Sources: J. A. Hanley, B. J. McNeil, Radiology 143 (1982), for the AUC as a share of pairs; C. J. van Rijsbergen,
"Information retrieval" (1979), chapter 7, for F1; L. R. Dice, Ecology 26 (1945).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean
from typing import Final

import msgspec

from pipeline.model import Outcome
from pipeline.scoring.text import tokens

FOLDS: Final = 5
THRESHOLDS: Final = tuple(step / 100 for step in range(101))


class Judged(msgspec.Struct, frozen=True):
    """One answer: what people say (`right`), what the rule says, and the baseline's likeness, both in [0, 1]."""

    question_id: str
    right: bool
    fraction: float
    outcome: Outcome
    threshold: float
    dice: float


class Tuned(msgspec.Struct, frozen=True):
    """What one threshold for the whole corpus reaches on questions it was not chosen by; its mean over the folds."""

    auc: float | None
    threshold: float
    accuracy: float
    macro_f1: float


class Agreement(msgspec.Struct, frozen=True):
    """Figures of one corpus, shares of 1; `auc` is None where all answers are right or all wrong."""

    answers: int
    questions: int
    right: float
    auc: float | None
    accuracy: float
    macro_f1: float
    coverage: float
    covered_accuracy: float | None
    tuned: Tuned
    baseline: Tuned


def agreement_of(judged: Sequence[Judged]) -> Agreement:
    """The figures of some answers, at least one."""
    decided = [one for one in judged if one.outcome is not Outcome.NEEDS_REVIEW]
    called = [(one.right, one.fraction >= one.threshold) for one in judged]
    return Agreement(
        answers=len(judged),
        questions=len({one.question_id for one in judged}),
        right=fmean(one.right for one in judged),
        auc=area_under_curve((one.right, one.fraction) for one in judged),
        accuracy=accuracy(called),
        macro_f1=macro_f1(called),
        coverage=len(decided) / len(judged),
        covered_accuracy=accuracy([(one.right, one.outcome is Outcome.CORRECT) for one in decided])
        if decided
        else None,
        tuned=cross_validated(judged, lambda one: one.fraction),
        baseline=cross_validated(judged, lambda one: one.dice),
    )


def area_under_curve(values: Iterable[tuple[bool, float]]) -> float | None:
    """The AUC of values that are told whether their answer was right."""
    known = list(values)
    wrong = sorted(value for right, value in known if not right)
    won = [bisect_left(wrong, value) + bisect_right(wrong, value) for right, value in known if right]
    return sum(won) / (2 * len(won) * len(wrong)) if won and wrong else None


def accuracy(called: Sequence[tuple[bool, bool]]) -> float:
    """The share of pairs (truth, call) that agree; at least one."""
    return fmean(truth == call for truth, call in called)


def macro_f1(called: Sequence[tuple[bool, bool]]) -> float:
    """The mean of the F1 of both classes; a class that neither side names counts 0."""
    return fmean(_f1(called, wanted=wanted) for wanted in (True, False))


def _f1(called: Sequence[tuple[bool, bool]], *, wanted: bool) -> float:
    hits = sum(truth is wanted and call is wanted for truth, call in called)
    named = sum((truth is wanted) + (call is wanted) for truth, call in called)
    return 2 * hits / named if named else 0.0


def cross_validated(judged: Sequence[Judged], value: Callable[[Judged], float]) -> Tuned:
    """What thresholds on `value` reach, each chosen by the questions of the other folds."""
    folds = folds_of(judged)
    chosen, called = list[float](), list[tuple[bool, bool]]()
    for number, fold in enumerate(folds):
        others = [one for other, members in enumerate(folds) if other != number for one in members]
        threshold = best_threshold([(one.right, value(one)) for one in others or fold])
        chosen.append(threshold)
        called += [(one.right, value(one) >= threshold) for one in fold]
    area = area_under_curve((one.right, value(one)) for one in judged)
    return Tuned(area, fmean(chosen), accuracy(called), macro_f1(called))


def folds_of(judged: Sequence[Judged]) -> list[list[Judged]]:
    """The answers in at most five parts, those to one question together; none is empty."""
    place = {question: number % FOLDS for number, question in enumerate(sorted({one.question_id for one in judged}))}
    return [members for fold in range(FOLDS) if (members := [one for one in judged if place[one.question_id] == fold])]


def best_threshold(values: Sequence[tuple[bool, float]]) -> float:
    """The threshold, in hundredths, with the highest macro-F1; the lowest of several."""
    return max(THRESHOLDS, key=lambda limit: (macro_f1([(right, value >= limit) for right, value in values]), -limit))


def token_dice(answer: str, references: Iterable[str]) -> float:
    """The likeness of two texts as sets of words, 2·common / (one + other), to the best reference."""
    given = set(tokens(answer))
    return max((_dice(given, set(tokens(reference))) for reference in references), default=0.0)


def _dice(one: set[str], other: set[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other)) if one or other else 0.0
