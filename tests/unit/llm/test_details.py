"""What the details say of responses that the approved texts don't show."""

from typing import Any

import pytest

from pipeline.llm.template.remarks import details
from pipeline.model import Outcome
from tests.unit.llm.cases import OPTIONS, scored


def said(kind: str, response: Any, **changes: Any) -> list[tuple[str, Any]]:
    case = scored(kind, Outcome.INCORRECT, response, **changes)
    return [(name, dict(facts)) for name, facts in details(case)]


@pytest.mark.parametrize(
    ("response", "direction"),
    [
        (9.9, "too_high"),
        ("9,9", "too_high"),
        ("１０", "too_high"),
        ("-9.81", "too_low"),
        ("\u22129.81 m/s²", "too_low"),
        ("9e0", "too_low"),
        ("9.86", "given"),
        ("1,234", "given"),
        ("12,345", "too_high"),
        ("9.81 s", "unit_off"),
        ("981 cm/s²", "given"),
        ("1.2.3", "given"),
        ("about 9", "given"),
        (float("nan"), "given"),
        (float("inf"), "given"),
    ],
)
def test_a_number_is_called_too_high_or_low_only_where_it_is_plain(response: Any, direction: str) -> None:
    assert [name for name, _ in said("numeric", response)] == [direction]


def test_a_number_within_a_relative_tolerance_is_not_called_off() -> None:
    key = {"value": 50, "relative_tolerance": 0.05}

    assert said("numeric", 52, answer=key) == [("given", {"answer": "52"})]


@pytest.mark.parametrize(
    ("order", "out_of_place"),
    [("abcd", ""), ("bcda", "a"), ("dabc", "d"), ("acbd", "c"), ("dcba", "dcb"), ("abxcd", "x")],
)
def test_as_few_elements_as_possible_are_called_out_of_place(order: str, out_of_place: str) -> None:
    remarks = said("ordering", list(order), answer={"sequence": list("abcd")}, options=())

    assert [element for _, facts in remarks for element in facts["items"]] == list(out_of_place)


def test_an_element_placed_twice_counts_where_it_stood_first() -> None:
    assert said("ordering", list("abab"), answer={"sequence": ["a", "b"]}, options=()) == []


def test_a_blank_is_called_wrong_only_where_the_scoring_rule_calls_it_wrong() -> None:
    blanks = [
        {"accepted": ["자료 구조"]},
        {"accepted": ["Len"], "case_sensitive": True},
        {"accepted": [], "pattern": "ra+nge"},
        {"accepted": ["an immutable sequence of values"], "match": "similar"},
    ]

    remarks = said("cloze", ["자료구조", "len", "raaange", "immutable sequence of a value"], answer={"blanks": blanks})

    assert [facts["number"] for _, facts in remarks] == [2]


def test_many_wrong_blanks_are_named_in_part_and_counted_in_full() -> None:
    remarks = said("cloze", [], answer={"blanks": [{"accepted": ["x"]}] * 9})

    assert [name for name, _ in remarks] == ["blank"] * 6 + ["more_blanks"]
    assert remarks[-1] == ("more_blanks", {"count": 3})


def test_many_wrong_pairs_are_named_in_part_and_counted_in_full() -> None:
    remarks = said("matching", {}, answer={"pairs": {str(left): "x" for left in range(9)}})

    assert [name for name, _ in remarks] == ["pair"] * 6 + ["more_pairs"]
    assert remarks[-1] == ("more_pairs", {"count": 3})


@pytest.mark.parametrize(
    ("kind", "response"),
    [
        ("single_choice", ["a"]),
        ("true_false", {}),
        ("numeric", [1]),
        ("short_text", True),
        ("cloze", "len"),
        ("ordering", "cabd"),
        ("matching", ["a"]),
    ],
)
def test_a_response_of_another_form_is_told_so(kind: str, response: Any) -> None:
    assert said(kind, response) == [("unreadable", {})]


def test_a_blank_text_is_called_empty() -> None:
    assert said("short_text", " \u200b\n") == [("empty", {})]


def test_an_option_is_named_as_learners_see_it() -> None:
    opaque = ({"id": "0b9f2c", "text": "a  tuple"}, *OPTIONS)

    assert said("single_choice", "c", options=opaque) == [("given", {"answer": "c) a set"})]
    assert said("single_choice", "0b9f2c", options=opaque) == [("given", {"answer": "a tuple"})]
    assert said("single_choice", "nope", options=opaque) == [("given", {"answer": "nope"})]
