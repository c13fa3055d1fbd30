"""How far somebody has got with a module, from topics."""

from pipeline.curriculum.model import Module
from pipeline.curriculum.standing import (
    NOT_BEGUN,
    Measure,
    ModuleStanding,
    TopicStanding,
    missing_prerequisites,
    standing_in,
)
from tests.unit.curriculum.samples import a_module, standings

MODULE = Module("m", "M", difficulty=3, hours=1.0, topics=("x", "y"))
UNKNOWN = TopicStanding(0.45, is_mastered=False, answers=0)


def known(**topics: TopicStanding) -> Measure:
    return lambda topic, _: topics.get(topic, UNKNOWN)


def test_a_module_is_as_far_as_the_weakest_of_its_topics() -> None:
    measure = known(
        x=TopicStanding(0.9, is_mastered=True, answers=9), y=TopicStanding(0.7, is_mastered=False, answers=3)
    )
    assert standing_in(MODULE, measure) == ModuleStanding(0.7, is_mastered=False, is_begun=True)


def test_a_module_is_mastered_when_all_its_topics_are() -> None:
    measure = known(
        x=TopicStanding(0.9, is_mastered=True, answers=9), y=TopicStanding(0.8, is_mastered=True, answers=5)
    )
    assert standing_in(MODULE, measure) == ModuleStanding(0.8, is_mastered=True, is_begun=True)


def test_a_module_of_which_nothing_was_answered_is_not_begun_whatever_is_expected() -> None:
    assert standing_in(MODULE, known()) == NOT_BEGUN


def test_topics_are_measured_at_the_modules_difficulty() -> None:
    asked: list[tuple[str, int]] = []

    def measure(topic: str, difficulty: int) -> TopicStanding:
        asked.append((topic, difficulty))
        return UNKNOWN

    standing_in(MODULE, measure)
    assert asked == [("x", 3), ("y", 3)]


def test_a_module_without_topics_is_measured_by_its_id() -> None:
    measure = known(m=TopicStanding(0.9, is_mastered=True, answers=9))
    assert standing_in(a_module("m"), measure).is_mastered


def test_prerequisites_that_are_not_mastered_are_missing() -> None:
    assert missing_prerequisites(a_module("m", "a", "b", "c"), standings(["b"], begun=["a"])) == ("a", "c")
    assert missing_prerequisites(a_module("m"), standings()) == ()
