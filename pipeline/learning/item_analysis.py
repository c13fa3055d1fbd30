"""What learners' first attempts tell about a question: how hard it is, what it tells apart, and what is wrong with it.

Only first attempts count: a second one shows what was remembered, not what was known. Formulas of the correlations
stand in `discrimination`; this module turns attempts into figures and figures into flags.

    facility      p = mean score, 0 to 1                (p - c)/(1 - c) where guessing (floor c) is taken off
    ability       a = mean over the learner's other questions of (score - facility of that question)

Learners don't all answer the same questions, and the strong get harder ones. So the rest of the questions is not
compared by plain scores but by how far these lie above what others get on the same questions.

| flag | when (with at least 30 first attempts) |
|---|---|
| suspect_key | the upper 27 % score below the lower 27 %, and a distractor draws more of the upper than the key does, and more of them than of the lower, beyond chance (one-sided, 1 %); without options: the upper score below the lower beyond chance |
| too_easy | p ≥ 0.95 |
| too_hard | (p - c)/(1 - c) ≤ 0.1 |
| low_discrimination | r is below 0.2 even at the upper end of its one-sided 90 % interval, and it is neither of the others |

A distractor that fewer than 5 % choose does not function.

Sources: R. L. Ebel, D. A. Frisbie, "Essentials of Educational Measurement" (5th ed., 1991), for 0.2 as the mark below
which an item discriminates poorly; T. M. Haladyna, S. M. Downing, "How many options is enough for a multiple-choice
test item?", Educational and Psychological Measurement 53 (1993), for 5 %; the correction for guessing is the usual one
(Crocker, Algina, chapter 14). The bounds for easy and hard, and how sure a flag has to be, are ours: a flag that cries
wolf is not read.
"""  # noqa: E501 - a table

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from pipeline.learning.discrimination import at_most, correlation, surplus, tails

ENOUGH_FOR_FLAGS: Final = 30
ENOUGH_TO_COMPARE: Final = 10
"""Learners of known ability below whom no discrimination is shown."""
ENOUGH_ELSEWHERE: Final = 3
"""Other questions that a learner must have answered before the ability is taken for known."""

TOO_EASY: Final = 0.95
TOO_HARD: Final = 0.1
POOR: Final = 0.2
NOT_FUNCTIONING: Final = 0.05
ONE_IN_HUNDRED: Final = 2.326
ONE_IN_TEN: Final = 1.282
DECIMALS: Final = 4


class Flag(StrEnum):
    """What is wrong with a question, the worst first."""

    SUSPECT_KEY = "suspect_key"
    TOO_HARD = "too_hard"
    TOO_EASY = "too_easy"
    LOW_DISCRIMINATION = "low_discrimination"


class Missing(StrEnum):
    """Why a figure is not there."""

    NOT_ANALYSED = "not_analysed_yet"
    NO_ATTEMPTS = "no_scored_first_attempts"
    FEW_LEARNERS = "too_few_learners_with_other_answers"
    NO_SPREAD = "all_scored_the_same"
    NO_TIMES = "no_response_times"


class FirstAttempt(msgspec.Struct, frozen=True):
    """A learner's first attempt: its score in [0, 1], and the options chosen, each once (none: blank, or no options).

    `ability` is None where too little is known of the learner beside this question.
    """

    learner_id: str
    fraction: float
    ability: float | None
    chosen: tuple[str, ...] = ()
    response_time_ms: int | None = None


class Choice(msgspec.Struct, frozen=True):
    """An option: how many chose it, their share, and the shares among the strong and the weak (None: not compared).

    `functioning` is None for the key, and while there are too few answers.
    """

    id: str
    correct: bool
    count: int
    share: float
    upper_share: float | None
    lower_share: float | None
    functioning: bool | None


class ItemAnalysis(msgspec.Struct, frozen=True):
    """The figures of a question; `missing` says why one is None. `compared` learners have a known ability."""

    first_attempts: int
    compared: int
    facility: float | None
    discrimination: float | None
    discrimination_index: float | None
    mean_time_ms: int | None
    blank: int
    choices: tuple[Choice, ...]
    flags: tuple[Flag, ...]
    missing: Mapping[str, Missing]


NOT_ANALYSED: Final = ItemAnalysis(
    0,
    0,
    None,
    None,
    None,
    None,
    0,
    (),
    (),
    dict.fromkeys(("facility", "discrimination", "discrimination_index", "mean_time_ms"), Missing.NOT_ANALYSED),
)


class Asked(msgspec.Struct, frozen=True):
    """What of a question matters here: its options and which of them are right, and what guessing earns."""

    options: tuple[str, ...] = ()
    correct: frozenset[str] = frozenset()
    guess: float = 0.0


class _Compared(msgspec.Struct, frozen=True):
    """Learners of known ability, and the ends of their ranking."""

    ranked: Sequence[FirstAttempt]
    lower: Sequence[FirstAttempt]
    upper: Sequence[FirstAttempt]

    @property
    def enough(self) -> bool:
        return len(self.ranked) >= ENOUGH_TO_COMPARE


class _Drawn(msgspec.Struct, frozen=True):
    """How many of some learners each option drew."""

    counts: Counter[str]
    learners: int

    def share(self, option: str) -> float:
        return self.counts[option] / self.learners if self.learners else 0.0


def analyse(asked: Asked, attempts: Sequence[FirstAttempt]) -> ItemAnalysis:
    """The figures of a question with these first attempts, one per learner, in any order."""
    compared = _compare(attempts)
    facility = _mean([one.fraction for one in attempts])
    r, why = _discrimination(compared)
    index = _index(compared) if compared.enough else None
    choices = _choices(asked, attempts, compared)
    times = [one.response_time_ms for one in attempts if one.response_time_ms is not None]
    missing = {
        "facility": None if attempts else Missing.NO_ATTEMPTS,
        "discrimination": why,
        "discrimination_index": None if compared.enough else Missing.FEW_LEARNERS,
        "mean_time_ms": None if times else Missing.NO_TIMES,
    }
    return ItemAnalysis(
        first_attempts=len(attempts),
        compared=len(compared.ranked),
        facility=_rounded(facility),
        discrimination=_rounded(r),
        discrimination_index=_rounded(index),
        mean_time_ms=round(sum(times) / len(times)) if times else None,
        blank=sum(1 for one in attempts if not one.chosen) if asked.options else 0,
        choices=choices,
        flags=_flags(asked, attempts, compared, choices),
        missing={name: reason for name, reason in missing.items() if reason is not None},
    )


def _compare(attempts: Sequence[FirstAttempt]) -> _Compared:
    """Ranked by ability; who is equally able stands in the order of ids, so that the same answers rank the same."""
    known = [(one.ability, one.learner_id, one) for one in attempts if one.ability is not None]
    ranked = [one for *_, one in sorted(known, key=lambda entry: entry[:2])]
    return _Compared(ranked, *tails(ranked))


def _discrimination(compared: _Compared) -> tuple[float | None, Missing | None]:
    if not compared.enough:
        return None, Missing.FEW_LEARNERS
    abilities = [one.ability for one in compared.ranked if one.ability is not None]
    r = correlation([one.fraction for one in compared.ranked], abilities)
    return r, Missing.NO_SPREAD if r is None else None


def _index(compared: _Compared) -> float:
    upper, lower = (_mean([one.fraction for one in tail]) or 0.0 for tail in (compared.upper, compared.lower))
    return upper - lower


def _choices(asked: Asked, attempts: Sequence[FirstAttempt], compared: _Compared) -> tuple[Choice, ...]:
    if not asked.options:
        return ()
    everybody, upper, lower = _drawn(attempts), _drawn(compared.upper), _drawn(compared.lower)
    return tuple(
        _choice(option, everybody, (upper, lower) if compared.enough else None, correct=option in asked.correct)
        for option in asked.options
    )


def _choice(option: str, everybody: _Drawn, ends: tuple[_Drawn, _Drawn] | None, *, correct: bool) -> Choice:
    share = everybody.share(option)
    judged = not correct and everybody.learners >= ENOUGH_FOR_FLAGS
    return Choice(
        id=option,
        correct=correct,
        count=everybody.counts[option],
        share=round(share, DECIMALS),
        upper_share=round(ends[0].share(option), DECIMALS) if ends else None,
        lower_share=round(ends[1].share(option), DECIMALS) if ends else None,
        functioning=share >= NOT_FUNCTIONING if judged else None,
    )


def _drawn(attempts: Sequence[FirstAttempt]) -> _Drawn:
    return _Drawn(Counter(option for one in attempts for option in one.chosen), len(attempts))


def _flags(
    asked: Asked, attempts: Sequence[FirstAttempt], compared: _Compared, choices: Sequence[Choice]
) -> tuple[Flag, ...]:
    facility = _mean([one.fraction for one in attempts])
    if facility is None or len(attempts) < ENOUGH_FOR_FLAGS:
        return ()
    suspect = len(compared.ranked) >= ENOUGH_FOR_FLAGS and _is_suspect(compared, choices)
    known = (facility - asked.guess) / (1 - asked.guess)
    found = {
        Flag.SUSPECT_KEY: suspect,
        Flag.TOO_HARD: known <= TOO_HARD,
        Flag.TOO_EASY: facility >= TOO_EASY,
    }
    flags = [flag for flag, applies in found.items() if applies]
    return tuple(flags) if flags or not _is_poor(compared) else (Flag.LOW_DISCRIMINATION,)


def _is_suspect(compared: _Compared, choices: Sequence[Choice]) -> bool:
    upper, lower = (_mean([one.fraction for one in tail]) or 0.0 for tail in (compared.upper, compared.lower))
    size = len(compared.upper)
    if upper >= lower:
        return False
    if not choices:
        return surplus(lower, upper, size) >= ONE_IN_HUNDRED
    drawn = [(one.upper_share or 0.0, one.lower_share or 0.0) for one in choices if not one.correct]
    return any(strong > upper and surplus(strong, weak, size) >= ONE_IN_HUNDRED for strong, weak in drawn)


def _is_poor(compared: _Compared) -> bool:
    r, _ = _discrimination(compared)
    if r is None or len(compared.ranked) < ENOUGH_FOR_FLAGS:
        return False
    return at_most(r, len(compared.ranked), ONE_IN_TEN) < POOR


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DECIMALS)
