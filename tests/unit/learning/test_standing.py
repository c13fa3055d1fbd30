"""A learner in a few words."""

from datetime import UTC, datetime, timedelta

import msgspec

from pipeline.learning.rating import Skill
from pipeline.learning.recency import Recent
from pipeline.learning.standing import Standing, standing_of

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def skill(topic: str, rating: float = 0.0, answers: int = 10, recent: Recent = Recent()) -> Skill:  # noqa: B008 - frozen
    return Skill(topic, rating, answers, answers, NOW, recent)


def test_nothing_is_said_of_a_learner_nobody_knows() -> None:
    assert standing_of([], NOW) == Standing(None, (), None, ())


def test_a_few_answers_say_nothing_of_the_level() -> None:
    assert standing_of([skill("loops", 3.0, answers=4)], NOW).level is None


def test_the_level_is_the_chance_at_a_question_of_middle_difficulty() -> None:
    levels = [standing_of([skill("loops", rating)], NOW).level for rating in (-1.0, 0.0, 1.0)]
    assert levels == ["beginner", "intermediate", "advanced"]


def test_topics_with_more_answers_say_more() -> None:
    assert standing_of([skill("loops", 2.0, answers=90), skill("lists", -2.0, answers=10)], NOW).level == "advanced"


def test_recent_accuracy_fades_old_answers() -> None:
    old = Skill("lists", 0.0, 4, 0, NOW - timedelta(days=4), Recent(errors=4.0, answers=4.0))
    new = skill("loops", recent=Recent(errors=0.0, answers=4.0))
    assert standing_of([old, new], NOW).recent_accuracy == 0.8


def test_weak_topics_come_worst_first() -> None:
    weak = [skill("loops", recent=Recent(errors=1.0, answers=2.0)), skill("lists", recent=Recent(3.0, 3.0))]
    assert standing_of(weak, NOW).weaknesses == ("lists", "loops")


def test_the_kind_of_mistakes_that_prevails_is_told_beside_each_weak_topic() -> None:
    gaps = msgspec.structs.replace(skill("lists", recent=Recent(3.0, 3.0)), mistakes=(0.0, 0.0, 0.0, 0.0, 0.5, 2.5))
    mixed = msgspec.structs.replace(skill("loops", recent=Recent(1.2, 2.0)), mistakes=(0.4, 0.4, 0.0, 0.0, 0.4, 0.0))
    assert standing_of([mixed, gaps], NOW).mistakes == ("gap", "")
