"""Pooled ratings use every topic for all others, know how sure they are, and beat the live ratings."""

from math import log, pi, sqrt

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.learning.evaluation import rank_correlation
from pipeline.learning.evidence import Evidence
from pipeline.learning.pooling import (
    NOTHING_KNOWN,
    Estimate,
    ability_in,
    apply_answer,
    overall,
    practice_gain,
    predicted_score,
)
from pipeline.learning.rating import ItemRating, Skill, expected_score
from pipeline.learning.replay import OWN, POOLED, Ratings, predictors, replay
from pipeline.learning.synthesis import Plan, synthesize, true_items
from tests.unit.learning.samples import NOW

ANSWER = Evidence("q1", ("loops",), 0.0, 1.0, 0.0, correct=True, learner_weight=1.0, item_weight=1.0)


def skills(**known: tuple[float, int]) -> dict[str, Skill]:
    """Topics with (rating, answers)."""
    return {topic: Skill(topic, rating, answers, 0, NOW) for topic, (rating, answers) in known.items()}


def test_of_a_newcomer_only_the_spread_of_learners_is_known() -> None:
    assert overall({}) == NOTHING_KNOWN
    ability = ability_in({}, ("loops",), overall({}))
    assert (ability.mean, round(ability.variance, 12)) == (0.0, 0.95)


def test_one_topic_tells_about_all_the_others() -> None:
    known = skills(loops=(1.0, 16))
    everywhere = overall(known)
    # I·n = 3: h = 3/1.75, x = 1 + 1/2.85, C = 1/(1/0.7 + h)
    assert everywhere.variance == pytest.approx(1 / (1 / 0.7 + 3 / 1.75))
    assert everywhere.mean == pytest.approx(everywhere.variance * (3 / 1.75) * (1 + 1 / 2.85))
    unmet = ability_in(known, ("lists",), everywhere)
    assert unmet.mean == everywhere.mean
    assert unmet.variance == pytest.approx(0.25 + everywhere.variance)
    met = ability_in(known, ("loops",), everywhere)
    assert 0 < unmet.mean < met.mean < 1 + 1 / 2.85
    assert met.variance < unmet.variance


def test_alone_a_topic_is_known_as_its_own_rating_says() -> None:
    # With one topic the hierarchy is one normal prior of variance A + D, the one its rating was learnt under.
    known = skills(loops=(0.8, 10))
    assert ability_in(known, ("loops",), overall(known)).mean == pytest.approx(0.8)
    assert ability_in(known, ("loops",), overall(known)).variance == pytest.approx(0.95 / (1 + 0.95 * 1.875))


@given(st.lists(st.tuples(st.floats(-5, 5), st.integers(0, 500)), min_size=2), st.data())
def test_the_order_of_topics_changes_no_digit(ratings: list[tuple[float, int]], data: st.DataObject) -> None:
    known = {f"t{n}": Skill(f"t{n}", *one, 0, NOW) for n, one in enumerate(ratings)}
    order = data.draw(st.permutations(list(known)))
    assert overall(known) == overall({topic: known[topic] for topic in order})


def test_what_is_uncertain_is_predicted_nearer_to_even() -> None:
    sure, unsure = Estimate(2.0, 0.0), Estimate(2.0, 1.0)
    assert predicted_score(sure, Estimate(0.0, 0.0)) == expected_score(2.0, 0.0)
    assert predicted_score(unsure, Estimate(0.0, 0.0)) == expected_score(2.0 / sqrt(1 + 3 / pi**2), 0.0)
    assert predicted_score(Estimate(-60.0, 0.0), Estimate(0.0, 0.0), guess=0.25) == pytest.approx(0.25)


def test_the_first_right_answer_moves_both_sides_by_the_formula() -> None:
    effect = apply_answer({}, ItemRating(0.0), ANSWER, NOW)
    # p = 1/2: k = 1, g = 1/4, v = 0.95 + 1, so e = 0.5 / (1 + 1.95/4)
    pull = 0.5 / (1 + 1.95 / 4)
    assert effect.change.expected == 0.5
    assert effect.skills[0].rating == pytest.approx(0.95 * pull + 0.25 * log(5 / 4))
    assert effect.item.rating == pytest.approx(-pull)
    assert effect.item.answers == 1
    assert (effect.skills[0].answers, effect.skills[0].correct) == (1, 1)


def test_experience_makes_steps_smaller_and_a_learner_keeps_moving() -> None:
    met = skills(loops=(0.0, 10_000))
    effect = apply_answer(met, ItemRating(0.0, 10_000), ANSWER, NOW)
    assert 0.02 < effect.skills[0].rating < 0.03
    assert -0.001 < effect.item.rating < 0
    assert practice_gain(10_000) < practice_gain(100) < practice_gain(0)


def test_an_unanswered_question_teaches_nothing_and_moves_no_question() -> None:
    unanswered = msgspec.structs.replace(ANSWER, outcome=0.0, correct=False, item_weight=0.0)
    effect = apply_answer(skills(loops=(-40.0, 5)), ItemRating(0.0, 3), unanswered, NOW)
    assert effect.skills[0].rating == pytest.approx(-40.0)
    assert effect.item == ItemRating(0.0, 3)


def test_several_topics_share_the_step() -> None:
    both = apply_answer({}, ItemRating(0.0), msgspec.structs.replace(ANSWER, topics=("loops", "lists")), NOW)
    one = apply_answer({}, ItemRating(0.0), ANSWER, NOW)
    assert both.skills[0].rating == both.skills[1].rating
    assert 0 < both.skills[0].rating < one.skills[0].rating


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
    effect = apply_answer(skills(loops=(theirs, answers)), ItemRating(its, answers), evidence, NOW)
    assert guess <= effect.change.expected <= 1.0
    assert abs(effect.skills[0].rating - theirs) <= 6.0
    assert abs(effect.item.rating - its) <= 6.0


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("same_order", "topics"), [(False, 5), (True, 5), (True, 1)])
def test_pooled_difficulties_rank_as_the_true_ones(same_order: bool, topics: int, seed: int) -> None:
    plan = Plan(learners=400, topics=topics, same_order=same_order, seed=seed)
    pooled = predictors()[POOLED]
    assert isinstance(pooled, Ratings)
    replay(synthesize(plan), {POOLED: pooled})
    items = true_items(plan)
    assert rank_correlation([one.difficulty for one in items], [pooled.items[one.id].rating for one in items]) >= 0.95


@pytest.mark.parametrize("same_order", [False, True])
def test_pooling_predicts_better_than_the_live_ratings_and_plain_elo(same_order: bool) -> None:
    tallies = replay(synthesize(Plan(learners=300, same_order=same_order, seed=3)), predictors())
    told = {name: tally.measures() for name, tally in tallies.items()}
    auc = {name: one.auc or 0.0 for name, one in told.items()}
    assert auc[POOLED] > auc["elo"] + 0.005
    assert auc[POOLED] > auc[OWN] + 0.01
    assert told[POOLED].calibration_error < told[OWN].calibration_error
