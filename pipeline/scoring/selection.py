"""Rules for answers that are picked: single choice, multiple choice, true or false."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Final

from pipeline.model import JsonValue, Question
from pipeline.scoring.judgement import Verdict, graded


def score_single_choice(question: Question, response: JsonValue) -> Verdict:
    """1 for the key's option, else 0."""
    return graded(float(response == question.answer["option"]))


def score_true_false(question: Question, response: JsonValue) -> Verdict:
    """1 for the key's value, else 0."""
    return graded(float(response is question.answer["value"]))


def score_multiple_choice(question: Question, response: JsonValue) -> Verdict:
    """By the key's `partial` mode, over sets: order and duplicates do not matter."""
    mode = question.answer.get("partial") or "all_or_nothing"
    key, picked = frozenset(question.answer["options"]), frozenset(response)
    fraction = PARTIAL_MODES[mode](key, picked, len(question.options))
    return graded(fraction)


def all_or_nothing(key: AbstractSet[str], picked: AbstractSet[str], _option_count: int) -> float:
    """1 where exactly the key is picked, else 0."""
    return float(picked == key)


def net_correct(key: AbstractSet[str], picked: AbstractSet[str], _option_count: int) -> float:
    """max(0, (hits - false picks) / |key|): each false pick cancels a hit, so guessing gains nothing.

    Source: PrairieLearn's checkbox element, partial credit `net-correct`; Canvas scores the same way.
    """
    return max(0.0, (len(picked & key) - len(picked - key)) / len(key))


def coverage(key: AbstractSet[str], picked: AbstractSet[str], _option_count: int) -> float:
    """(hits / |key|) x (hits / |picked|): recall times precision, so ticking everything does not pay.

    Source: PrairieLearn's checkbox element, partial credit `coverage`.
    """
    hits = len(picked & key)
    return hits / len(key) * hits / len(picked) if picked else 0.0


def each_answer(key: AbstractSet[str], picked: AbstractSet[str], option_count: int) -> float:
    """Share of all options in the right state, picked or left: a row of true-false questions.

    Source: PrairieLearn's checkbox element, partial credit `each-answer`; the multiple true-false rule
    of the literature. Leaves much credit for guessing: half the options are right by chance.
    """
    return (option_count - len(picked ^ key)) / option_count


PARTIAL_MODES: Final[Mapping[str, Callable[[AbstractSet[str], AbstractSet[str], int], float]]] = MappingProxyType(
    {
        "all_or_nothing": all_or_nothing,
        "net_correct": net_correct,
        "coverage": coverage,
        "each_answer": each_answer,
    }
)
