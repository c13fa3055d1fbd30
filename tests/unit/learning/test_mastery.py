"""Mastery counts in what is not certain and what was forgotten."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.learning.mastery import (
    MasteryLevel,
    has_mastered,
    level_of,
    mastery,
    module_logit,
    recall,
    topic_ability,
    uncertainty,
)
from pipeline.learning.memory import Memory
from pipeline.learning.pooling import NOTHING_KNOWN, ability_in, overall
from pipeline.learning.rating import Skill
from tests.unit.learning.samples import NOW, skill

DAY = timedelta(days=1)


def with_memory(stability: float, rating: float = 2.0) -> Skill:
    memory = Memory(stability, 5.0, NOW + stability * DAY)
    return msgspec.structs.replace(skill("loops", rating, answers=40), memory=memory)


def of(known: Skill, difficulty: float = 0.0, after: timedelta = timedelta()) -> float:
    return mastery(known, overall({known.topic: known}), difficulty, NOW + after)


def test_levels_of_questions_and_modules_are_logits() -> None:
    assert [module_logit(level) for level in range(1, 6)] == [-1.0, -0.5, 0.0, 0.5, 1.0]


def test_of_a_newcomer_an_even_chance_is_all_that_is_known() -> None:
    assert mastery(None, NOTHING_KNOWN, 0.0, NOW) == 0.5
    assert uncertainty(None, NOTHING_KNOWN) == pytest.approx(1.0)


def test_a_topic_is_known_as_the_ratings_know_it() -> None:
    known = {"loops": skill("loops", 1.0, answers=9), "lists": skill("lists", -1.0, answers=4)}
    everywhere = overall(known)
    for topic in ("loops", "lists", "dicts"):
        assert topic_ability(known.get(topic), everywhere) == ability_in(known, (topic,), everywhere)


@given(st.floats(-4, 4), st.floats(-3, 3), st.floats(0.01, 2))
def test_mastery_of_harder_questions_is_less_and_never_leaves_its_scale(
    rating: float, difficulty: float, more: float
) -> None:
    known = skill("loops", rating, answers=10)
    assert 0.0 < of(known, difficulty + more) < of(known, difficulty) < 1.0


def test_the_same_rating_of_more_answers_is_more_mastery() -> None:
    assert of(skill("loops", 1.5, answers=3)) < of(skill("loops", 1.5, answers=30))
    few, many = (skill("loops", 1.5, answers=answers) for answers in (3, 30))
    assert uncertainty(many, overall({"loops": many})) < uncertainty(few, overall({"loops": few}))


def test_what_is_forgotten_is_mastered_no_more() -> None:
    known = with_memory(10.0)
    assert recall(known, NOW + 10 * DAY) == pytest.approx(0.9)
    assert of(known, after=10 * DAY) == pytest.approx(0.9 * of(known))
    assert level_of(of(known), 40) is MasteryLevel.MASTERED
    assert level_of(of(known, after=30 * DAY), 40) is MasteryLevel.PROFICIENT
    assert of(known, after=-DAY) == of(known)


@pytest.mark.parametrize(
    ("mastered", "answers", "level"),
    [
        (0.9, 0, "new"),
        (0.39, 1, "novice"),
        (0.4, 1, "developing"),
        (0.6, 1, "proficient"),
        (0.8, 4, "proficient"),
        (0.8, 5, "mastered"),
    ],
)
def test_levels_follow_from_mastery_and_experience(mastered: float, answers: int, level: str) -> None:
    assert level_of(mastered, answers) == level


@given(st.floats(-4, 4), st.integers(0, 12), st.floats(-1, 1))
def test_a_topic_is_mastered_exactly_where_its_level_says_so(rating: float, answers: int, difficulty: float) -> None:
    known = skill("loops", rating, answers=answers)
    everywhere = overall({"loops": known})
    level = level_of(mastery(known, everywhere, difficulty, NOW), answers)
    assert has_mastered(known, everywhere, difficulty, NOW) is (level is MasteryLevel.MASTERED)
    assert not has_mastered(None, everywhere, difficulty, NOW)
