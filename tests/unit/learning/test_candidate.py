"""Shelves lead to the questions that fit, nearest first."""

from collections.abc import Sequence
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.learning.candidate import (
    SHELF_WIDTH,
    Candidate,
    Kind,
    candidate_of,
    changed,
    fitting_ability,
    index_candidates,
    shelf_of,
)
from pipeline.learning.pooling import Estimate, expected_score, flattening, predicted_score
from pipeline.learning.rating import ItemRating
from tests.unit.learning.samples import question

REVIEW_LOOPS = (Kind.REVIEW, "loops")


def of_difficulty(*difficulties: float) -> list[Candidate]:
    return [Candidate(f"q{number}", ("loops",), difficulty) for number, difficulty in enumerate(difficulties)]


@given(st.floats(-4, 4), st.sampled_from([0, 3, 4, 5]), st.sampled_from([0.6, 0.75, 0.85]))
def test_the_fitting_ability_is_expected_to_hit_the_target(difficulty: float, choices: int, target: float) -> None:
    candidate = Candidate("q", ("loops",), difficulty, choices)
    guess = 1 / choices if choices else 0.0
    assert expected_score(fitting_ability(candidate, target), difficulty, guess) == pytest.approx(target)


def test_a_target_below_the_guess_floor_asks_for_some_knowledge_all_the_same() -> None:
    coin = Candidate("q", ("loops",), 0.0, choices=2)
    assert expected_score(fitting_ability(coin, 0.3), 0.0, 0.5) == pytest.approx(0.625)


@given(st.lists(st.floats(-4, 4), max_size=30), st.floats(-5, 5), st.integers(0, 2**32))
def test_walking_outward_meets_every_candidate_once_and_nearer_shelves_first(
    difficulties: Sequence[float], ability: float, spin: int
) -> None:
    index = index_candidates(of_difficulty(*difficulties), {Kind.REVIEW: 0.5})
    if not difficulties:
        assert index.shelves == {}
        return
    met = list(index.shelves[REVIEW_LOOPS].outward(ability, spin))
    distances = [abs(shelf_of(candidate.difficulty) - shelf_of(ability)) for candidate in met]
    assert distances == sorted(distances)
    assert sorted(candidate.question_id for candidate in met) == sorted(
        f"q{number}" for number in range(len(difficulties))
    )


def test_of_two_equally_far_shelves_the_easier_comes_first() -> None:
    index = index_candidates(of_difficulty(1.1, -0.9), {Kind.REVIEW: 0.5})
    met = [candidate.difficulty for candidate in index.shelves[REVIEW_LOOPS].outward(0.1, 0)]
    assert met == [-0.9, 1.1]


def test_the_spin_chooses_where_on_a_shelf_the_walk_begins() -> None:
    shelves = index_candidates(of_difficulty(*[0.0] * 5)).shelves[REVIEW_LOOPS]
    starts = {next(shelves.outward(0.0, spin)).question_id for spin in range(5)}
    assert starts == {f"q{number}" for number in range(5)}


def test_the_order_on_a_shelf_does_not_depend_on_the_order_of_the_bank() -> None:
    candidates = of_difficulty(*[0.0] * 9)
    assert index_candidates(candidates) == index_candidates(reversed(candidates))


def test_a_question_stands_with_each_of_its_topics() -> None:
    index = index_candidates([Candidate("q", ("b", "a"), 0.0)])
    assert index.topics == ("a", "b")
    assert set(index.shelves) == {(kind, topic) for kind in Kind for topic in ("a", "b")}


def test_a_shelf_spans_less_than_ratings_can_tell_apart() -> None:
    assert expected_score(SHELF_WIDTH / 2, 0.0) - expected_score(-SHELF_WIDTH / 2, 0.0) < 0.0625


def test_a_candidate_is_as_hard_as_it_proved_to_be() -> None:
    asked = question("q", ("loops",), difficulty=5, options=4, kind="single_choice", module="m1")
    assert candidate_of(asked) == Candidate("q", ("loops",), 2.0, 4, "m1", 1.0, "single_choice", "en", 2.0)
    proved = candidate_of(asked, ItemRating(0.7, 30))
    assert (proved.difficulty, proved.variance < 0.2) == (0.7, True)


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_place_on_the_shelves_allows_for_what_is_not_certain(theirs: float, its: float) -> None:
    """The shelf that is walked to first holds what hits the target within what a shelf spans."""
    candidate = Candidate("q", ("loops",), 0.0, variance=its)
    ability = Estimate(fitting_ability(candidate, 0.85) + (flattening(theirs) - 1) * log(0.85 / 0.15), theirs)
    difficulty = Estimate(candidate.difficulty, candidate.variance)
    assert predicted_score(ability, difficulty) == pytest.approx(0.85, abs=0.01)


@given(st.lists(st.sampled_from(range(30)), unique=True), st.lists(st.sampled_from(range(30)), unique=True), st.data())
def test_a_changed_index_is_the_one_built_anew(before: list[int], after: list[int], data: st.DataObject) -> None:
    """Whatever goes, comes or moves, the shelves stand as if they had been made at once."""

    def candidates(numbers: list[int], shift: float) -> dict[int, Candidate]:
        return {
            n: Candidate(f"q{n}", (f"t{n % 3}", f"t{n % 4}")[: 1 + n % 2], n / 7 + shift, module=f"m{n % 5}")
            for n in numbers
        }

    old, new = candidates(before, 0.0), candidates(after, data.draw(st.sampled_from([0.0, 0.3, 2.0])))
    gone = [candidate for number, candidate in old.items() if number not in new or new[number] != candidate]
    came = [candidate for number, candidate in new.items() if number not in old or old[number] != candidate]
    index = index_candidates(old.values())
    assert changed(index, gone, came) == index_candidates(new.values())
    assert index == index_candidates(old.values())


def test_what_no_rule_rates_is_not_recommended() -> None:
    """An essay never lessens a weakness, so practising it would go on for ever."""
    essay = Candidate("e", ("loops",), 0.0, type="essay")
    index = index_candidates([essay, Candidate("q", ("loops",), 0.0)])
    shelves = index.shelves[Kind.WEAKNESS, "loops"]
    assert [one.question_id for one in shelves.outward(0.0, 0)] == ["q"]
    assert index_candidates([essay]).topics == ()
