"""Weaknesses follow recent errors; the two kept numbers are the history, faded."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.learning.rating import apply_submission
from pipeline.learning.recency import HALF_LIFE, NOTHING_RECENT, WINDOW, Recent, faded, fading, remembered
from pipeline.learning.weakness import weakness_score, weaknesses_of
from tests.unit.learning.samples import NOW, question, scored, skill

DAY = timedelta(days=1)
hours_ago = st.lists(st.tuples(st.integers(0, 24 * 30), st.floats(0, 1), st.floats(0.1, 1)), min_size=1)


def recent_of(history: list[tuple[datetime, float, float]]) -> tuple[Recent, datetime]:
    """Kept up answer by answer, as the store does."""
    recent, as_of = NOTHING_RECENT, history[0][0]
    for at, error, weight in history:
        recent = remembered(recent, as_of, error=error, weight=weight, at=at)
        as_of = max(as_of, at)
    return recent, as_of


def read_through(history: list[tuple[datetime, float, float]]) -> Recent:
    """The same by its definition: the whole history since the last long silence, weighed by age."""
    as_of = history[-1][0]
    kept = [history[-1]]
    for earlier in reversed(history[:-1]):
        if kept[-1][0] - earlier[0] > WINDOW:
            break
        kept.append(earlier)
    weights = [(weight * 2 ** (-((as_of - at) / HALF_LIFE)), error) for at, error, weight in kept]
    return Recent(sum(weight * error for weight, error in weights), sum(weight for weight, _ in weights))


@given(hours_ago)
def test_two_numbers_say_the_same_as_the_whole_history(answers: list[tuple[int, float, float]]) -> None:
    ordered = sorted(answers, key=lambda answer: -answer[0])
    history = [(NOW - timedelta(hours=hours), error, weight) for hours, error, weight in ordered]
    kept, as_of = recent_of(history)
    assert as_of == history[-1][0]
    assert kept.errors == pytest.approx(read_through(history).errors)
    assert kept.answers == pytest.approx(read_through(history).answers)


@given(st.lists(st.tuples(st.integers(0, 24 * 7), st.floats(0, 1), st.floats(0.1, 1)), min_size=1))
def test_answers_of_one_window_may_arrive_in_any_order(answers: list[tuple[int, float, float]]) -> None:
    history = [(NOW - timedelta(hours=hours), error, weight) for hours, error, weight in answers]
    in_order, as_of = recent_of(sorted(history, key=lambda answer: answer[0]))
    as_came, came_as_of = recent_of(history)
    assert came_as_of == as_of
    assert as_came.errors == pytest.approx(in_order.errors)
    assert as_came.answers == pytest.approx(in_order.answers)


def test_a_weight_halves_with_each_half_life_and_ends_with_the_window() -> None:
    assert [fading(timedelta(0)), fading(HALF_LIFE), fading(2 * HALF_LIFE)] == [1.0, 0.5, 0.25]
    assert fading(WINDOW) > 0
    assert fading(WINDOW + timedelta(microseconds=1)) == 0


@given(st.floats(0, 5), st.integers(0, 80), st.integers(0, 80))
def test_fading_in_two_steps_is_fading_in_one(errors: float, first: int, second: int) -> None:
    recent = Recent(errors, errors + 1)
    one, two = timedelta(hours=first), timedelta(hours=second)
    assert faded(faded(recent, one), two).errors == pytest.approx(faded(recent, one + two).errors)


@pytest.mark.parametrize(
    ("errors", "answers", "age", "score"),
    [
        (1.0, 1.0, timedelta(0), 0.5),
        (3.0, 3.0, timedelta(0), 0.75),
        (1.0, 1.0, 2 * DAY, 0.3333),
        (1.0, 1.0, 6 * DAY, 0.1111),
        (0.0, 5.0, timedelta(0), 0.0),
        (3.0, 3.0, 8 * DAY, 0.0),
    ],
)
def test_the_score_is_the_faded_error_rate_with_the_benefit_of_the_doubt(
    errors: float, answers: float, age: timedelta, score: float
) -> None:
    assert weakness_score(skill("loops", recent=Recent(errors, answers)), NOW + age) == score


def test_an_error_older_than_seven_days_is_no_weakness() -> None:
    effect = apply_submission({}, {}, [scored(question(), 0.0)], NOW)
    assert [found.topic for found in weaknesses_of(effect.skills.values(), NOW + 7 * DAY)] == ["loops"]
    assert weaknesses_of(effect.skills.values(), NOW + 7 * DAY + timedelta(seconds=1)) == ()


def test_an_old_error_does_not_come_back_with_a_new_right_answer() -> None:
    wrong = apply_submission({}, {}, [scored(question(), 0.0)] * 5, NOW)
    right = apply_submission(wrong.skills, wrong.items, [scored(question(), 1.0)], NOW + 8 * DAY)
    assert weaknesses_of(right.skills.values(), NOW + 8 * DAY) == ()


def test_the_weakest_and_the_freshest_come_first() -> None:
    skills = [
        skill("few errors", recent=Recent(1.0, 4.0)),
        skill("many errors", recent=Recent(4.0, 4.0)),
        skill("many errors, days ago", recent=Recent(4.0, 4.0), updated_at=NOW - 4 * DAY),
        skill("a tie", recent=Recent(1.0, 4.0)),
        skill("no errors", recent=Recent(0.0, 4.0)),
    ]
    assert [found.topic for found in weaknesses_of(skills, NOW)] == [
        "many errors",
        "many errors, days ago",
        "a tie",
        "few errors",
    ]


def test_right_answers_heal_a_weakness() -> None:
    effect = apply_submission({}, {}, [scored(question(), 0.0)], NOW)
    scores = []
    for _ in range(12):
        scores.append(weakness_score(effect.skills["loops"], NOW))
        effect = apply_submission(effect.skills, effect.items, [scored(question(), 1.0)], NOW)
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] < scores[0] / 5


def test_a_weakness_tells_its_counts_and_when_it_was_seen() -> None:
    effect = apply_submission({}, {}, [scored(question(), 1.0), scored(question(), 0.0)], NOW)
    (found,) = weaknesses_of(effect.skills.values(), NOW + DAY)
    assert (found.answers, found.correct, found.last_seen) == (2, 1, NOW)
