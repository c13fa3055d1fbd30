from typing import Any

import pytest

from pipeline.model import Outcome
from pipeline.scoring.answer_key import QUESTION_TYPES
from pipeline.scoring.rule import RULES, score
from tests.unit.scoring.samples import OPTIONS, key_response, keyed, question

KEYED_TYPES = [name for name in QUESTION_TYPES if name != "essay"]


def fraction(question_type: str, answer: dict[str, Any], response: Any) -> float | None:
    return score(question(question_type, answer=answer), response).fraction


def test_every_question_type_has_a_rule() -> None:
    assert set(RULES) == set(QUESTION_TYPES)


@pytest.mark.parametrize("question_type", KEYED_TYPES)
def test_the_key_itself_scores_all_points(question_type: str) -> None:
    asked = question(question_type, points=2.5)
    given = score(asked, key_response(asked))
    assert (given.outcome, given.fraction, given.points, given.max_points) == (Outcome.CORRECT, 1.0, 2.5, 2.5)
    assert given.rule == f"{question_type}/1"


@pytest.mark.parametrize("question_type", QUESTION_TYPES)
@pytest.mark.parametrize("response", [None, "", "  ", [], {}])
def test_an_unanswered_question_says_so_and_scores_0(question_type: str, response: Any) -> None:
    given = score(question(question_type), response)
    assert (given.outcome, given.fraction, given.points) == (Outcome.UNANSWERED, 0.0, 0.0)


@pytest.mark.parametrize("question_type", KEYED_TYPES)
def test_a_malformed_response_is_incorrect(question_type: str) -> None:
    given = score(question(question_type), [{"deep": [None]}])
    assert (given.outcome, given.fraction) == (Outcome.INCORRECT, 0.0)


def test_an_essay_waits_for_a_person() -> None:
    given = score(question("essay", points=5), "It depends.")
    assert (given.outcome, given.fraction, given.points, given.max_points) == (
        Outcome.NEEDS_REVIEW,
        None,
        None,
        5.0,
    )


@pytest.mark.parametrize(
    ("mode", "picked", "expected"),
    [
        (None, "ac", 1.0),
        (None, "a", 0.0),
        (None, "acd", 0.0),
        ("net_correct", "ac", 1.0),
        ("net_correct", "a", 0.5),
        ("net_correct", "acb", 0.5),
        ("net_correct", "ab", 0.0),
        ("net_correct", "bd", 0.0),
        ("net_correct", "abcd", 0.0),
        ("coverage", "ac", 1.0),
        ("coverage", "a", 0.5),
        ("coverage", "ab", 0.25),
        ("coverage", "abc", 0.666667),
        ("coverage", "abcd", 0.5),
        ("coverage", "bd", 0.0),
        ("each_answer", "ac", 1.0),
        ("each_answer", "a", 0.75),
        ("each_answer", "abcd", 0.5),
        ("each_answer", "bd", 0.0),
    ],
)
def test_multiple_choice_scores_by_its_mode(mode: str | None, picked: str, expected: float) -> None:
    answer = {"options": ["a", "c"], **({"partial": mode} if mode else {})}
    assert fraction("multiple_choice", answer, list(picked)) == expected


def test_points_are_the_fraction_of_the_maximum_to_4_decimals() -> None:
    asked = question("multiple_choice", answer={"options": ["a", "b", "c"], "partial": "net_correct"}, points=3)
    given = score(asked, ["a"])
    assert (given.outcome, given.fraction, given.points) == (Outcome.PARTIAL, 0.333333, 1.0)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("dbac", 1.0),
        ("cabd", 0.0),
        ("bacd", 0.666667),
        ("bdac", 0.666667),
        ("cbad", 0.333333),
        ("dba", 0.666667),
        ("da", 0.333333),
        ("d", 0.0),
    ],
)
def test_ordering_counts_the_moves_to_the_right_order(given: str, expected: float) -> None:
    assert fraction("ordering", {"sequence": ["d", "b", "a", "c"]}, list(given)) == expected


def test_a_reversed_order_scores_0() -> None:
    sequence = [str(number) for number in range(20)]
    assert score(question("ordering", options=[], answer={"sequence": sequence}), sequence[::-1]).fraction == 0.0


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ({"a": "1", "b": "2"}, 1.0),
        ({"a": "1"}, 0.5),
        ({"a": "2", "b": "1"}, 0.0),
        ({"a": "1", "b": None}, 0.5),
    ],
)
def test_matching_counts_right_pairs(response: Any, expected: float) -> None:
    assert fraction("matching", {"pairs": {"a": "1", "b": "2"}}, response) == expected


@pytest.mark.parametrize(
    ("response", "expected", "outcome"),
    [
        (["len", "range"], 1.0, Outcome.CORRECT),
        (["LEN ", "list"], 0.5, Outcome.PARTIAL),
        (["len"], 0.5, Outcome.PARTIAL),
        ([None, "range"], 0.5, Outcome.PARTIAL),
        (["range", "len"], 0.0, Outcome.INCORRECT),
    ],
)
def test_cloze_counts_right_blanks(response: Any, expected: float, outcome: Outcome) -> None:
    given = score(question("cloze"), response)
    assert (given.fraction, given.outcome) == (expected, outcome)


def test_one_uncertain_blank_leaves_a_cloze_to_review() -> None:
    blanks = [{"accepted": ["len"]}, {"accepted": ["red green blue"], "match": "similar", "threshold": 0.9}]
    assert score(keyed("cloze", blanks=blanks), ["len", "red green"]).outcome is Outcome.NEEDS_REVIEW


def test_true_is_not_1() -> None:
    assert score(question("true_false"), 1).outcome is Outcome.INCORRECT


def test_a_choice_is_compared_as_it_is() -> None:
    options = [*OPTIONS, {"id": "B", "text": "Capital"}]
    assert score(question("single_choice", options=options), "B").fraction == 0.0


def test_a_short_likeness_to_a_long_key_is_for_a_person_to_judge() -> None:
    planets = "mercury venus earth mars jupiter saturn uranus neptune pluto ceres eris haumea makemake"
    moons = "luna phobos deimos europa callisto ganymede titan rhea dione tethys mimas triton charon nix hydra"
    long_key = f"{planets} {moons} halley encke borrelly wild tempel"
    answer = "mercury venus earth mars jupiter"
    unlike = "nothing of the kind at all"

    assert score(keyed("short_text", accepted=[long_key], match="similar"), answer).outcome is Outcome.NEEDS_REVIEW
    assert score(keyed("short_text", accepted=[long_key], match="similar"), unlike).outcome is Outcome.INCORRECT
    with_short_key = keyed("short_text", accepted=[long_key, "one word"], match="similar")
    assert score(with_short_key, answer).outcome is Outcome.INCORRECT
