"""Pooled ratings use every topic for all others, and know how sure they are."""

from math import pi, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.learning.pooling import (
    NOTHING_KNOWN,
    Estimate,
    Pool,
    ability_in,
    expected_score,
    overall,
    predicted_score,
)
from pipeline.learning.practice import practice_gain, practised
from pipeline.learning.rating import Skill
from tests.unit.learning.samples import NOW


def skills(**known: tuple[float, int]) -> dict[str, Skill]:
    """Topics with (rating, answers)."""
    return {topic: Skill(topic, rating, answers, 0, NOW) for topic, (rating, answers) in known.items()}


def test_of_a_newcomer_only_the_spread_of_learners_is_known() -> None:
    assert overall({}) == NOTHING_KNOWN
    ability = ability_in({}, ("loops",), overall({}))
    assert (ability.mean, round(ability.variance, 12)) == (0.0, 1.0)


def test_one_topic_tells_about_all_the_others() -> None:
    known = skills(loops=(1.0 + practised(20), 20))
    everywhere = overall(known)
    # I·n = 3, B = 1: h = 3/1.9, x = 1 + 1/3, C = 1/(1/0.7 + h)
    assert everywhere.variance == pytest.approx(1 / (1 / 0.7 + 3 / 1.9))
    assert everywhere.mean == pytest.approx(everywhere.variance * (3 / 1.9) * (4 / 3))
    unmet = ability_in(known, ("lists",), everywhere)
    assert unmet.mean == everywhere.mean
    assert unmet.variance == pytest.approx(0.3 + everywhere.variance)
    met = ability_in(known, ("loops",), everywhere)
    assert 0 < unmet.mean < met.mean - practised(20) < 4 / 3
    assert met.variance < unmet.variance


def test_alone_a_topic_is_known_as_its_own_rating_says() -> None:
    # With one topic the hierarchy is one normal prior of variance A + D, the one its rating was learnt under.
    known = skills(loops=(0.8, 10))
    assert ability_in(known, ("loops",), overall(known)).mean == pytest.approx(0.8)
    assert ability_in(known, ("loops",), overall(known)).variance == pytest.approx(1 / (1 + 1.5))


@given(st.integers(1, 500))
def test_what_practice_taught_in_one_topic_is_not_taken_for_ability_in_others(answers: int) -> None:
    known = skills(loops=(practised(answers), answers))
    everywhere = overall(known)
    assert everywhere.mean == 0.0
    assert ability_in(known, ("lists",), everywhere).mean == 0.0
    assert ability_in(known, ("loops",), everywhere).mean == pytest.approx(practised(answers))


ratings = st.floats(-1e6, 1e6)


def test_an_even_match_is_expected_to_score_half() -> None:
    assert expected_score(1.5, 1.5) == 0.5


def test_a_blind_guess_lifts_the_expectation_to_its_floor() -> None:
    assert expected_score(-50.0, 0.0, guess=0.25) == pytest.approx(0.25)
    assert expected_score(0.0, 0.0, guess=0.25) == 0.625


@given(ratings, ratings, st.floats(0, 0.5))
def test_an_expected_score_lies_between_the_floor_and_one(ability: float, difficulty: float, guess: float) -> None:
    assert guess <= expected_score(ability, difficulty, guess) <= 1.0


@given(st.lists(st.tuples(st.floats(-5, 5), st.integers(0, 500)), min_size=2), st.data())
def test_the_order_of_topics_changes_no_digit(ratings: list[tuple[float, int]], data: st.DataObject) -> None:
    known = {f"t{n}": Skill(f"t{n}", *one, 0, NOW) for n, one in enumerate(ratings)}
    order = data.draw(st.permutations(list(known)))
    assert overall(known) == overall({topic: known[topic] for topic in order})


@given(st.integers(0, 10_000))
def test_practice_adds_up_answer_by_answer(answers: int) -> None:
    assert practised(0) == 0.0
    assert practised(answers) + practice_gain(answers) == pytest.approx(practised(answers + 1))


def test_an_uncertain_ability_is_predicted_nearer_to_even() -> None:
    sure, unsure = Estimate(2.0, 0.0), Estimate(2.0, 1.0)
    assert predicted_score(sure, Estimate(0.0, 0.0)) == expected_score(2.0, 0.0)
    assert predicted_score(unsure, Estimate(0.0, 0.0)) == expected_score(2.0 / sqrt(1 + 3 / pi**2), 0.0)
    assert predicted_score(Estimate(-60.0, 0.0), Estimate(0.0, 0.0), guess=0.25) == pytest.approx(0.25)


def test_an_ability_counts_more_on_questions_that_are_little_known() -> None:
    ability, known, new = Estimate(1.0, 0.0), Estimate(0.5, 0.0), Estimate(0.5, 1.0)
    assert predicted_score(ability, known) == expected_score(1.0, 0.5)
    assert predicted_score(ability, new) == pytest.approx(expected_score(1.1, 0.5))
    assert predicted_score(Estimate(0.0, 0.3), Estimate(0.0, 1.0)) == 0.5


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.floats(-5, 5), st.integers(0, 500))))
def test_a_pool_kept_while_topics_move_equals_one_made_anew(moves: list[tuple[str, float, int]]) -> None:
    known: dict[str, Skill] = {}
    pool = Pool(known)
    for topic, rating, answers in moves:
        known[topic] = Skill(topic, rating, answers, 0, NOW)
        pool.put(topic, known[topic])
        assert pool.overall() == overall(known)
