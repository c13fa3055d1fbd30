"""Figures and flags of questions, on classes made up so that the truth is known."""

import random
from math import exp
from typing import Final

import pytest

from pipeline.learning.item_analysis import Asked, FirstAttempt, Flag, ItemAnalysis, Missing, analyse

OPTIONS: Final = ("a", "b", "c", "d")
FOUR: Final = Asked(OPTIONS, frozenset("a"), 0.25)
OPEN: Final = Asked()


def a_class(
    size: int, *, seed: int, truth: str = "a", key: str = "a", difficulty: float = 0.0, slope: float = 1.5
) -> list[FirstAttempt]:
    """Learners of ability N(0, 1) who find `truth` by a logistic curve and else guess, scored by `key`."""
    draw, made = random.Random(seed), []  # noqa: S311 - made-up learners
    for number in range(size):
        ability = draw.gauss(0.0, 1.0)
        knows = draw.random() < 1 / (1 + exp(-slope * (ability - difficulty)))
        chosen = truth if knows else draw.choice(OPTIONS)
        made.append(FirstAttempt(f"u{number}", float(chosen == key), ability, (chosen,)))
    return made


def flags(attempts: list[FirstAttempt], asked: Asked = FOUR) -> tuple[Flag, ...]:
    return analyse(asked, attempts).flags


@pytest.mark.parametrize(("size", "found"), [(60, 0.65), (120, 0.9), (300, 1.0)])
def test_questions_with_a_wrong_key_are_found_the_surer_the_more_answers(size: int, found: float) -> None:
    """The answer is b, the key says a: who knows it gets no points. Of 100 such questions so many are suspect."""
    suspect = [seed for seed in range(100) if Flag.SUSPECT_KEY in flags(a_class(size, seed=seed, truth="b"))]
    assert len(suspect) / 100 >= found


def test_healthy_questions_are_hardly_ever_called_suspect() -> None:
    """Of 400 sound questions, from easy to hard, at most one in a hundred."""
    suspect = [
        seed
        for seed in range(400)
        if Flag.SUSPECT_KEY in flags(a_class(60, seed=seed, difficulty=(seed % 5 - 2) * 0.7, slope=1.0))
    ]
    assert len(suspect) <= 4


@pytest.mark.parametrize("seed", range(20))
def test_healthy_questions_have_no_flags(seed: int) -> None:
    assert flags(a_class(200, seed=seed)) == ()


def test_a_question_hardly_anybody_knows_is_too_hard_even_if_guessing_helps() -> None:
    assert flags(a_class(300, seed=1, difficulty=4.0)) == (Flag.TOO_HARD,)


def test_a_question_nearly_everybody_knows_is_too_easy() -> None:
    assert flags(a_class(300, seed=1, difficulty=-4.0)) == (Flag.TOO_EASY,)


def test_a_question_answered_by_chance_discriminates_poorly() -> None:
    attempts = [FirstAttempt(f"u{n}", float(n % 2), (n % 7) / 7, ("a" if n % 2 else "b",)) for n in range(140)]
    assert flags(attempts, Asked(("a", "b"), frozenset("a"), 0.0)) == (Flag.LOW_DISCRIMINATION,)


def test_too_few_attempts_raise_no_flag() -> None:
    assert flags(a_class(29, seed=1, truth="b")) == ()


def test_a_question_without_options_is_suspect_where_the_strong_score_below_the_weak() -> None:
    upside_down = [FirstAttempt(f"u{n}", float(n < 50), float(n)) for n in range(100)]
    assert flags(upside_down, OPEN) == (Flag.SUSPECT_KEY,)
    upright = [FirstAttempt(f"u{n}", float(n >= 50), float(n)) for n in range(100)]
    assert flags(upright, OPEN) == ()


def test_a_distractor_below_five_percent_does_not_function() -> None:
    attempts = [FirstAttempt(f"u{n}", float(n < 60), float(-n), (("a" if n < 60 else "b"),)) for n in range(96)]
    attempts += [FirstAttempt(f"v{n}", 0.0, None, ("c",)) for n in range(4)]
    choices = {choice.id: choice for choice in analyse(FOUR, attempts).choices}
    assert [(choice.count, choice.share) for choice in choices.values()] == [(60, 0.6), (36, 0.36), (4, 0.04), (0, 0.0)]
    assert [choice.functioning for choice in choices.values()] == [None, True, False, False]


def test_blank_answers_are_counted_apart_from_options() -> None:
    analysis = analyse(FOUR, [FirstAttempt("u1", 0.0, None), FirstAttempt("u2", 1.0, None, ("a",))])
    assert (analysis.blank, analysis.facility) == (1, 0.5)


def test_a_figure_that_is_not_there_says_why() -> None:
    nothing = analyse(FOUR, [])
    assert nothing.missing == {
        "facility": Missing.NO_ATTEMPTS,
        "discrimination": Missing.FEW_LEARNERS,
        "discrimination_index": Missing.FEW_LEARNERS,
        "mean_time_ms": Missing.NO_TIMES,
    }
    alike = analyse(OPEN, [FirstAttempt(f"u{n}", 1.0, float(n), (), 1000) for n in range(40)])
    assert alike.missing == {"discrimination": Missing.NO_SPREAD}
    assert (alike.mean_time_ms, alike.discrimination_index) == (1000, 0.0)


def test_every_null_figure_has_a_reason_and_every_reason_a_null() -> None:
    for attempts in ([], a_class(5, seed=1), a_class(100, seed=1)):
        found: ItemAnalysis = analyse(FOUR, attempts)
        figures = ("facility", "discrimination", "discrimination_index", "mean_time_ms")
        assert {name for name in figures if getattr(found, name) is None} == set(found.missing)


def test_the_order_of_attempts_does_not_matter() -> None:
    attempts = [FirstAttempt(one.learner_id, one.fraction, 0.0, one.chosen) for one in a_class(80, seed=3)]
    shuffled = sorted(attempts, key=lambda one: one.learner_id[::-1])
    assert analyse(FOUR, attempts) == analyse(FOUR, shuffled)
