"""What a submission leaves besides ratings follows from the history alone."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.learning.fold import fold
from pipeline.learning.memory import memory_after, rating_of
from pipeline.learning.rating import ItemRating, Skill, apply_submission
from pipeline.model import Outcome, ScoredAnswer
from tests.unit.learning.samples import NOW, question, scored, scored_answers, told

SUBMISSIONS = st.lists(st.tuples(st.lists(scored_answers(), max_size=4), st.integers(-48, 300)), max_size=6)


def after(history: Sequence[tuple[list[ScoredAnswer], int]], *, stored: bool) -> dict[str, Skill]:
    """The skills after submissions, each so many hours after the one before."""
    skills: dict[str, Skill] = {}
    items: dict[str, ItemRating] = {}
    at = NOW
    for answers, hours in history:
        at += timedelta(hours=hours)
        effect = apply_submission(skills, items, answers, at)
        skills, items = fold(skills, effect, at), dict(effect.items)
        if stored:
            skills = msgspec.json.decode(msgspec.json.encode(skills), type=dict[str, Skill])
    return skills


@settings(deadline=None)
@given(SUBMISSIONS)
def test_a_replay_gives_the_same_to_the_last_digit(history: list[tuple[list[ScoredAnswer], int]]) -> None:
    assert after(history, stored=True) == after(history, stored=False)


@settings(deadline=None)
@given(SUBMISSIONS)
def test_all_kinds_together_are_the_recent_errors(history: list[tuple[list[ScoredAnswer], int]]) -> None:
    for skill in after(history, stored=False).values():
        assert sum(skill.mistakes) == pytest.approx(skill.recent.errors)


def test_a_submission_is_one_review_of_each_of_its_topics() -> None:
    answers = [scored(question("a", ("loops", "lists")), 1.0), scored(question("b", ("loops",)), 0.0)]
    skills = fold({}, apply_submission({}, {}, answers, NOW), NOW)
    expected = {"loops": answers, "lists": answers[:1]}
    for topic, reviewed in expected.items():
        assert skills[topic].memory == memory_after(None, NOW, rating_of(told(reviewed)), NOW)


def test_a_topic_that_nothing_was_told_of_stays_as_it_was() -> None:
    first = [scored(question("a", ("loops",)), 0.0)]
    skills = fold({}, apply_submission({}, {}, first, NOW), NOW)
    essay = [scored(question("c", ("loops",), kind="essay"), None), scored(question("d", ("lists",)), 1.0)]
    later = NOW + timedelta(days=1)
    assert fold(skills, apply_submission(skills, {}, essay, later), later)["loops"] == skills["loops"]


def test_each_topic_bears_its_part_of_a_mistake() -> None:
    answers = [scored(question("a", ("loops", "lists")), 0.0, Outcome.UNANSWERED)]
    skills = fold({}, apply_submission({}, {}, answers, NOW), NOW)
    assert [sum(skills[topic].mistakes) for topic in ("loops", "lists")] == [0.5, 0.5]
