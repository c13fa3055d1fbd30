"""A learner's answers in the terms of a curriculum."""

from datetime import UTC, datetime, timedelta

from pipeline.learning.memory import Memory
from pipeline.learning.rating import Skill
from pipeline.service.mastering import measure_of

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def skill(rating: float, answers: int, memory: Memory | None = None, at: datetime = NOW) -> Skill:
    return Skill("x", rating, answers, answers, at, memory=memory)


def test_many_right_answers_master_what_is_easy_before_what_is_hard() -> None:
    measure = measure_of([skill(2.0, 20)], NOW)
    assert measure("x", 1).is_mastered
    assert not measure("x", 5).is_mastered
    assert measure("x", 1).mastery > measure("x", 3).mastery > measure("x", 5).mastery
    assert measure("x", 1).answers == 20


def test_four_answers_never_master_anything() -> None:
    assert not measure_of([skill(5.0, 4)], NOW)("x", 1).is_mastered


def test_what_is_not_practised_is_forgotten() -> None:
    long_ago = NOW - timedelta(days=400)
    learnt = skill(2.5, 20, Memory(stability=5.0, difficulty=5.0, due_at=long_ago), long_ago)
    assert not measure_of([learnt], NOW)("x", 1).is_mastered
    assert measure_of([learnt], long_ago)("x", 1).is_mastered


def test_a_topic_never_met_is_expected_from_the_others_but_has_no_answers() -> None:
    unknown = measure_of([skill(2.5, 20)], NOW)("y", 1)
    assert (unknown.answers, unknown.is_mastered) == (0, False)
    assert unknown.mastery > measure_of([], NOW)("y", 1).mastery
