"""Where questions begin that nobody answered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.learning.candidate import Candidate
from pipeline.learning.replay import LoggedAnswer, Ratings
from pipeline.learning.start import GUESSED, MOST_SHIFT, Shifts, shifts_from, shifts_of

offsets = st.lists(st.tuples(st.sampled_from(["loops", "lists", "maps"]), st.floats(-6, 6)), max_size=30)


def proved(topic: str, off: float, level: float = 0.0) -> Candidate:
    return Candidate("q", (topic,), level + off, level=level)


def test_where_nothing_is_known_questions_begin_at_their_level() -> None:
    assert Shifts().of(("loops",)) == 0.0


def test_many_of_a_topic_tell_where_the_next_begins_and_of_others_less() -> None:
    shifts = shifts_of([proved("loops", 1.0, level) for level in (-2.0, 0.0, 2.0)] * 100)
    assert shifts.of(("loops",)) == pytest.approx(1.0, abs=0.02)
    mixed = shifts_of([*[proved("loops", 1.0)] * 100, *[proved("lists", -1.0)] * 100])
    assert mixed.of(("loops",)) == pytest.approx(1.0, abs=0.05)
    assert mixed.of(("loops", "lists")) == pytest.approx(0.0)
    assert mixed.of(("maps",)) == pytest.approx(0.0)


def test_a_few_tell_little() -> None:
    [one] = {shifts_of([proved("loops", 1.0)]).of((topic,)) for topic in ("lists", "maps")}
    assert one == pytest.approx(1.0 / (1 + GUESSED))


@given(offsets)
def test_nothing_begins_further_off_than_two_levels(found: list[tuple[str, float]]) -> None:
    shifts = shifts_of(proved(topic, off) for topic, off in found)
    for topics in (("loops",), ("loops", "maps"), ("unheard-of",)):
        assert -MOST_SHIFT <= shifts.of(topics) <= MOST_SHIFT


@given(offsets)
def test_telling_each_move_comes_to_the_same_as_telling_the_end(found: list[tuple[str, float]]) -> None:
    moved = Shifts()
    for topic, off in found:
        moved.note((topic,), off / 2, new=True)
        moved.note((topic,), off / 2, new=False)
    told = shifts_of(proved(topic, off) for topic, off in found)
    assert moved.of(("loops", "maps")) == pytest.approx(told.of(("loops", "maps")))


@given(offsets)
def test_sums_that_were_added_up_elsewhere_tell_the_same(found: list[tuple[str, float]]) -> None:
    by_topic = {topic: [off for one, off in found if one == topic] for topic, _ in found}
    sums = [(None, sum(off for _, off in found), len(found))]
    told = shifts_from([*sums, *((topic, sum(offs), len(offs)) for topic, offs in by_topic.items())])
    each = shifts_of(proved(topic, off) for topic, off in found)
    for topics in (("loops",), ("loops", "maps"), ("unheard-of",)):
        assert told.of(topics) == pytest.approx(each.of(topics))


def test_a_topic_that_proved_hard_is_expected_to_be_hard_from_its_next_question_on() -> None:
    """Of two newcomers' chances the one in the topic at which everybody failed is lower."""
    model = Ratings()
    for learner in range(40):
        for number in range(5):
            model.step(LoggedAnswer(f"{learner}", f"hard-{number}", False, ("maps",)))
            model.step(LoggedAnswer(f"{learner}", f"easy-{number}", True, ("loops",)))
    hard = model.step(LoggedAnswer("new", "hard-new", True, ("maps",)))
    easy = model.step(LoggedAnswer("other", "easy-new", True, ("loops",)))
    assert hard < 0.35
    assert easy > 0.65
