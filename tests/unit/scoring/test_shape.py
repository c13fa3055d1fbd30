from typing import Any

import pytest

from pipeline.scoring.answer_key import QUESTION_TYPES
from pipeline.scoring.shape import check_response, is_unanswered
from tests.unit.scoring.samples import OPTIONS, key_response, question


def pointers(question_type: str, response: Any) -> list[str]:
    return [problem.pointer for problem in check_response(question(question_type), response)]


@pytest.mark.parametrize("question_type", QUESTION_TYPES)
@pytest.mark.parametrize("response", [None, "", " \t\n\u3000", "\u200b", [], {}])
def test_null_blank_and_empty_responses_are_unanswered_for_every_type(question_type: str, response: Any) -> None:
    assert is_unanswered(question(question_type), response)
    assert pointers(question_type, response) == []


@pytest.mark.parametrize(
    ("question_type", "response"),
    [("cloze", [None, " "]), ("cloze", [""]), ("matching", {"a": None, "b": " "}), ("matching", {"a": ""})],
)
def test_a_response_made_of_blanks_is_unanswered(question_type: str, response: Any) -> None:
    assert is_unanswered(question(question_type), response)


@pytest.mark.parametrize("question_type", [name for name in QUESTION_TYPES if name != "essay"])
def test_the_key_itself_has_the_right_shape(question_type: str) -> None:
    assert pointers(question_type, key_response(question(question_type))) == []


@pytest.mark.parametrize(
    ("question_type", "response", "expected"),
    [
        ("single_choice", ["b"], [""]),
        ("single_choice", "z", [""]),
        ("single_choice", 1, [""]),
        ("single_choice", " b", [""]),
        ("multiple_choice", "a", [""]),
        ("multiple_choice", {"a": True}, [""]),
        ("multiple_choice", ["a", "z", 5, None], ["/1", "/2", "/3"]),
        ("multiple_choice", ["a"] * 1_001, [""]),
        ("true_false", "true", [""]),
        ("true_false", 1, [""]),
        ("numeric", True, [""]),
        ("numeric", [3], [""]),
        ("numeric", float("nan"), [""]),
        ("numeric", float("-inf"), [""]),
        ("numeric", "3\x00", [""]),
        ("short_text", 5, [""]),
        ("short_text", ["x"], [""]),
        ("short_text", "x" * 20_001, [""]),
        ("short_text", " " * 20_001, [""]),
        ("short_text", "a\x00b", [""]),
        ("short_text", "\x00", [""]),
        ("short_text", "a\udfffb", [""]),
        ("cloze", "len", [""]),
        ("cloze", ["len", "range", "more"], [""]),
        ("cloze", ["len", 5], ["/1"]),
        ("cloze", ["len", "x" * 501], ["/1"]),
        ("ordering", "dbac", [""]),
        ("ordering", ["d", "z"], ["/1"]),
        ("ordering", ["d", "b", "d"], ["/2"]),
        ("matching", ["1", "2"], [""]),
        ("matching", {"c/~": "1"}, ["/c~1~0"]),
        ("matching", {"a": "9", "b": 2}, ["/a", "/b"]),
        ("essay", {"text": "x"}, [""]),
        ("essay", "x" * 20_001, [""]),
    ],
)
def test_a_wrong_shape_is_refused_at_the_place(question_type: str, response: Any, expected: list[str]) -> None:
    assert pointers(question_type, response) == expected


@pytest.mark.parametrize(
    ("question_type", "response"),
    [
        ("numeric", "about three"),
        ("numeric", 10**400),
        ("numeric", "9" * 5_000),
        ("multiple_choice", ["a", "a", "a"]),
        ("cloze", ["len"]),
        ("cloze", [None, "range"]),
        ("ordering", ["d"]),
        ("matching", {"a": "2"}),
        ("short_text", "x" * 20_000),
        ("short_text", "🙂"),
    ],
)
def test_a_poor_answer_of_the_right_shape_is_not_malformed(question_type: str, response: Any) -> None:
    assert pointers(question_type, response) == []
    assert not is_unanswered(question(question_type), response)


def test_matching_distractors_are_options_like_any_other() -> None:
    asked = question("matching", options=OPTIONS, answer={"pairs": {"x": "a", "y": "b"}})
    assert check_response(asked, {"x": "d"}) == ()
    assert [problem.pointer for problem in check_response(asked, {"x": "1"})] == ["/x"]
