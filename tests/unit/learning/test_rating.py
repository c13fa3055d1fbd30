"""The ratings move as the formulas say, and always the same way."""

from datetime import timedelta
from math import exp
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.learning.rating import (
    ItemRating,
    ability_in,
    apply_submission,
    expected_score,
    first_item_rating,
    item_step,
    item_steps,
    moved_skills,
    skill_step,
)
from pipeline.model import Outcome, ScoredAnswer
from tests.unit.learning.samples import NOW, question, scored, scored_answers, skill

ratings = st.floats(-1e6, 1e6)


def test_an_even_match_is_expected_to_score_half() -> None:
    assert expected_score(1.5, 1.5) == 0.5


def test_a_blind_guess_lifts_the_expectation_to_its_floor() -> None:
    assert expected_score(-50.0, 0.0, guess=0.25) == pytest.approx(0.25)
    assert expected_score(0.0, 0.0, guess=0.25) == 0.625


@given(ratings, ratings, st.floats(0, 0.5))
def test_an_expected_score_lies_between_the_floor_and_one(ability: float, difficulty: float, guess: float) -> None:
    assert guess <= expected_score(ability, difficulty, guess) <= 1.0


@given(st.integers(0, 10_000))
def test_steps_shrink_with_experience_and_a_learner_keeps_moving(answers: int) -> None:
    assert 0.05 <= skill_step(answers + 1) <= skill_step(answers) <= 1.0
    assert 0 < item_step(answers + 1) < item_step(answers) <= 0.5


def test_difficulty_levels_start_two_below_to_two_above_the_middle() -> None:
    assert [first_item_rating(question(difficulty=level)).rating for level in range(1, 6)] == [
        -2.0, -1.0, 0.0, 1.0, 2.0,
    ]  # fmt: skip


def test_the_first_right_answer_moves_learner_and_question_by_the_formula() -> None:
    effect = apply_submission({}, {}, [scored(question(difficulty=4), 1.0)], NOW)
    expected = 1 / (1 + exp(1.0))
    assert effect.skills["loops"].rating == pytest.approx(1.0 * (1 - expected))
    assert effect.items["q1"].rating == pytest.approx(1.0 - 0.5 * (1 - expected))
    assert (effect.skills["loops"].answers, effect.skills["loops"].correct) == (1, 1)
    assert effect.items["q1"].answers == 1


def test_several_topics_share_the_step_equally_and_each_by_its_own_experience() -> None:
    skills = {"old": skill("old", 1.0, answers=20), "new": skill("new", 0.0, answers=0)}
    effect = apply_submission(skills, {}, [scored(question(topics=("old", "new")), 0.0)], NOW)
    surprise = -expected_score(0.5, 0.0)
    assert effect.skills["old"].rating == pytest.approx(1.0 + 0.5 * 0.5 * surprise)
    assert effect.skills["new"].rating == pytest.approx(1.0 * 0.5 * surprise)


def test_a_topic_never_met_counts_as_average() -> None:
    assert ability_in({"a": skill("a", 1.0)}, ("a", "b")) == 0.5


@pytest.mark.parametrize(
    ("answer", "moves_skill", "moves_item"),
    [
        (scored(question(), 1.0), True, True),
        (scored(question(), 0.3), True, True),
        (scored(question(), None), False, False),
        (scored(question(), 1.0, Outcome.NEEDS_REVIEW), True, True),
        (scored(question(), 0.0, Outcome.UNANSWERED), True, False),
    ],
)
def test_what_moves_whom(answer: ScoredAnswer, moves_skill: bool, moves_item: bool) -> None:
    effect = apply_submission({}, {"q1": ItemRating(0.4, 3)}, [answer], NOW)
    assert (effect.skills != {}) is moves_skill
    assert (effect.items != {"q1": ItemRating(0.4, 3)}) is moves_item


def test_a_provisional_answer_moves_half_as_far_as_a_settled_one() -> None:
    settled = apply_submission({}, {}, [scored(question(), 1.0)], NOW)
    provisional = apply_submission({}, {}, [scored(question(), 1.0, Outcome.NEEDS_REVIEW)], NOW)
    assert provisional.skills["loops"].rating == settled.skills["loops"].rating / 2
    assert provisional.items["q1"].rating == settled.items["q1"].rating / 2
    assert provisional.skills["loops"].correct == 0


@given(st.lists(scored_answers(), max_size=12), st.integers(0, 12))
def test_replaying_in_two_submissions_gives_the_same_floats_as_in_one(answers: list[ScoredAnswer], cut: int) -> None:
    whole = apply_submission({}, {}, answers, NOW)
    first = apply_submission({}, {}, answers[:cut], NOW)
    second = apply_submission(first.skills, first.items, answers[cut:], NOW)
    assert second.skills == whole.skills
    assert second.items == whole.items
    assert first.changes + second.changes == whole.changes


@given(st.lists(scored_answers(), max_size=8))
def test_inputs_are_left_as_they_are_and_a_replay_is_exact(answers: list[ScoredAnswer]) -> None:
    skills = {"loops": skill("loops", 0.3)}
    items = {"q1": ItemRating(0.2, 9)}
    once = apply_submission(skills, items, answers, NOW)
    assert apply_submission(skills, items, answers, NOW) == once
    assert skills == {"loops": skill("loops", 0.3)}
    assert items == {"q1": ItemRating(0.2, 9)}


@given(scored_answers())
def test_a_right_answer_never_lowers_a_skill_and_a_wrong_one_never_raises_it(answer: ScoredAnswer) -> None:
    for change in apply_submission({}, {}, [answer], NOW).changes:
        for step in change.skill_steps:
            assert step >= 0 if change.outcome == 1.0 else True
            assert step <= 0 if answer.score.fraction == 0.0 else True
            assert change.item_step * step <= 0


@given(st.lists(scored_answers(), max_size=12))
def test_changes_add_up_to_the_new_ratings(answers: list[ScoredAnswer]) -> None:
    effect = apply_submission({}, {}, answers, NOW)
    for moved in item_steps(effect.changes):
        item = effect.items[moved.question_id]
        assert moved.before + moved.step == pytest.approx(item.rating)
        assert moved.answers == item.answers
    for moved_skill in moved_skills(effect):
        steps = sum(
            step
            for change in effect.changes
            for topic, step in zip(change.topics, change.skill_steps, strict=True)
            if topic == moved_skill.topic
        )
        assert steps == pytest.approx(moved_skill.rating)


@given(st.lists(scored_answers(), max_size=12))
def test_rows_to_write_come_once_each_and_in_lock_order(answers: list[ScoredAnswer]) -> None:
    effect = apply_submission({"untouched": skill("untouched")}, {}, answers, NOW)
    topics = [moved.topic for moved in moved_skills(effect)]
    ids = [moved.question_id for moved in item_steps(effect.changes)]
    assert topics == sorted(set(topics))
    assert ids == sorted(set(ids))
    assert set(topics) == set(effect.skills) - {"untouched"}


def test_an_answer_that_arrives_late_does_not_turn_the_clock_back() -> None:
    later = apply_submission({}, {}, [scored(question(), 1.0)], NOW)
    late = apply_submission(later.skills, later.items, [scored(question(), 0.0)], NOW - timedelta(days=1))
    assert late.skills["loops"].updated_at == NOW


def test_ratings_find_the_true_order_of_learners_and_of_questions() -> None:
    random = Random(7)  # noqa: S311  made-up learners, the same in every run
    abilities = {"weak": -1.5, "middling": 0.0, "strong": 1.5}
    levels = {1: -2.0, 3: 0.0, 5: 2.0}
    asked = {level: question(f"q{level}", difficulty=3) for level in levels}
    ratings_of = {name: apply_submission({}, {}, [], NOW).skills for name in abilities}
    items = apply_submission({}, {}, [], NOW).items
    for _ in range(400):
        for name, ability in abilities.items():
            level = random.choice(list(levels))
            fraction = float(random.random() < expected_score(ability, levels[level]))
            effect = apply_submission(ratings_of[name], items, [scored(asked[level], fraction)], NOW)
            ratings_of[name], items = effect.skills, effect.items
    found = {name: skills["loops"].rating for name, skills in ratings_of.items()}
    assert found["weak"] + 0.7 < found["middling"] < found["strong"] - 0.7
    assert items["q1"].rating + 0.7 < items["q3"].rating < items["q5"].rating - 0.7
