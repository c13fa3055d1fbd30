"""The ratings move as the formulas say, and always the same way."""

from datetime import timedelta
from math import exp, log
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.learning.evidence import Evidence, evidence_of
from pipeline.learning.pooling import expected_score, overall
from pipeline.learning.practice import practice_gain
from pipeline.learning.rating import (
    ItemRating,
    Learner,
    apply_answer,
    apply_submission,
    first_item_rating,
    moved_skills,
)
from pipeline.model import Outcome, ScoredAnswer
from tests.unit.learning.samples import NOW, question, scored, scored_answers, skill

ANSWER = Evidence("q1", ("loops",), 0.0, 1.0, 0.0, correct=True, learner_weight=1.0, item_weight=1.0)


def test_difficulty_levels_start_two_below_to_two_above_the_middle() -> None:
    assert [first_item_rating(question(difficulty=level)).rating for level in range(1, 6)] == [
        -2.0, -1.0, 0.0, 1.0, 2.0,
    ]  # fmt: skip


def test_the_first_right_answer_moves_learner_and_question_by_the_formula() -> None:
    effect = apply_submission({}, {}, [scored(question(difficulty=4), 1.0)], NOW)
    known = 1 / (1 + exp(1.0))
    # No guess floor: k = 1 and g = p·(1 - p); the learner's 1 and the question's 1 are uncertain.
    pull = (1 - known) / (1 + known * (1 - known) * 2)
    assert effect.skills["loops"].rating == pytest.approx(pull + 0.25 * log(5 / 4))
    assert effect.items["q1"].rating == pytest.approx(1.0 - pull)
    assert (effect.skills["loops"].answers, effect.skills["loops"].correct) == (1, 1)
    assert effect.items["q1"].answers == 1


def test_several_topics_share_the_step_each_by_its_own_experience() -> None:
    skills = {"old": skill("old", 1.0, answers=20), "new": skill("new", 0.0, answers=0)}
    effect = apply_submission(skills, {}, [scored(question(topics=("old", "new")), 0.0)], NOW)
    lost = {topic: skills[topic].rating - effect.skills[topic].rating for topic in skills}
    alone = apply_submission(skills, {}, [scored(question(topics=("new",)), 0.0)], NOW)
    assert 0 < lost["old"] < lost["new"] < -alone.skills["new"].rating


def test_a_question_of_several_topics_is_practice_in_each_of_them() -> None:
    even = msgspec.structs.replace(ANSWER, topics=("lists", "loops"), outcome=0.5)
    effect = Learner({}).learn(ItemRating(0.0), even, NOW)
    assert [skill.rating for skill in effect.skills] == [practice_gain(0), practice_gain(0)]


def test_what_one_topic_tells_moves_the_question_of_another_less() -> None:
    strong = {"lists": skill("lists", 2.0, answers=60)}
    by_anybody = apply_submission({}, {}, [scored(question(), 1.0)], NOW).items["q1"]
    by_the_strong = apply_submission(strong, {}, [scored(question(), 1.0)], NOW).items["q1"]
    assert by_anybody.rating < by_the_strong.rating < 0


def test_experience_makes_steps_smaller_and_a_learner_keeps_moving() -> None:
    learner = Learner({"loops": skill("loops", answers=10_000)})
    effect = learner.learn(ItemRating(0.0, 10_000), ANSWER, NOW)
    assert 0.02 < effect.skills[0].rating < 0.03
    assert -0.001 < effect.item.rating < 0
    assert practice_gain(10_000) < practice_gain(100) < practice_gain(0)


def test_an_unanswered_question_teaches_nothing_and_moves_no_question() -> None:
    unanswered = msgspec.structs.replace(ANSWER, outcome=0.0, correct=False, item_weight=0.0)
    effect = Learner({"loops": skill("loops", -40.0, answers=5)}).learn(ItemRating(0.0, 3), unanswered, NOW)
    assert effect.skills[0].rating == pytest.approx(-40.0)
    assert effect.item == ItemRating(0.0, 3)


@given(
    st.floats(-1e6, 1e6),
    st.floats(-1e6, 1e6),
    st.integers(0, 10**6),
    st.floats(0, 0.5),
    st.floats(0, 1),
)
def test_no_rating_ever_leaves_the_numbers(
    theirs: float, its: float, answers: int, guess: float, outcome: float
) -> None:
    evidence = msgspec.structs.replace(ANSWER, guess=guess, outcome=outcome)
    effect = Learner({"loops": skill("loops", theirs, answers=answers)}).learn(ItemRating(its, answers), evidence, NOW)
    assert guess <= effect.change.expected <= 1.0
    assert abs(effect.skills[0].rating - theirs) <= 6.0
    assert abs(effect.item.rating - its) <= 6.0


@given(st.lists(scored_answers(), max_size=6))
def test_a_learner_folded_answer_by_answer_equals_each_answer_seen_alone(answers: list[ScoredAnswer]) -> None:
    """What is kept between answers changes no digit of what every answer sees."""
    effect = apply_submission({}, {}, answers, NOW)
    skills, items = dict[str, Any](), dict[str, ItemRating]()
    for answer in answers:
        evidence = evidence_of(answer)
        if evidence is not None:
            item = items.get(evidence.question_id) or first_item_rating(answer.answer.question)
            one = apply_answer(skills, item, evidence, NOW, overall(skills))
            skills |= {moved.topic: moved for moved in one.skills}
            items[evidence.question_id] = one.item
    assert (effect.skills, effect.items) == (skills, items)


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
    assert provisional.items["q1"].rating == settled.items["q1"].rating / 2 < 0
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
def test_a_right_answer_never_lowers_a_skill_and_a_wrong_one_never_eases_a_question(answer: ScoredAnswer) -> None:
    for change in apply_submission({}, {}, [answer], NOW).changes:
        if change.outcome == 1.0:
            assert min(change.skill_steps) >= 0 >= change.item_step
        if answer.score.fraction == 0.0:
            assert change.item_step >= 0


@given(st.lists(scored_answers(), max_size=12))
def test_changes_add_up_to_the_new_ratings(answers: list[ScoredAnswer]) -> None:
    effect = apply_submission({}, {}, answers, NOW)
    for question_id, item in effect.items.items():
        own = [change for change in effect.changes if change.question_id == question_id]
        assert item.rating == pytest.approx(own[0].item_before + sum(change.item_step for change in own))
        assert item.answers == sum(change.item_answers for change in own)
    for moved_skill in moved_skills(effect):
        steps = sum(
            step
            for change in effect.changes
            for topic, step in zip(change.topics, change.skill_steps, strict=True)
            if topic == moved_skill.topic
        )
        assert steps == pytest.approx(moved_skill.rating)


@given(st.lists(scored_answers(), max_size=12))
def test_skills_to_write_come_once_each_and_in_order(answers: list[ScoredAnswer]) -> None:
    effect = apply_submission({"untouched": skill("untouched")}, {}, answers, NOW)
    topics = [moved.topic for moved in moved_skills(effect)]
    assert topics == sorted(set(topics))
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
