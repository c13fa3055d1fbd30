"""Words for what msgspec refuses: JSON's names, and the byte of the body at which it goes wrong."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest

from pipeline.errors import FieldProblem, InvalidInput
from pipeline.service.intake import decode_json, problems_in

Meta = msgspec.Meta


@pytest.mark.parametrize(
    ("raw", "kind", "detail"),
    [
        (1, str, "A string is expected, not a number."),
        (1.5, int, "A whole number is expected, not a decimal number."),
        (1, str | None, "A string or null is expected, not a number."),
        ("a", list[str], "An array is expected, not a string."),
        (1, str | bool | None, "A boolean, a string or null is expected, not a number."),
        ("", Annotated[str, Meta(min_length=1)], "At least 1 character is needed."),
        ([1, 2, 3], Annotated[list[int], Meta(max_length=2)], "At most 2 items are allowed."),
        (0, Annotated[int, Meta(ge=1)], "The number must be at least 1."),
        (9, Annotated[int, Meta(le=5)], "The number must be at most 5."),
        ("a", Annotated[str, Meta(pattern="^b")], "The text must match the pattern `^b`."),
        ("x", Literal["low", "high"] | None, "One of low, high is expected."),
        (["x"], list[Literal["low", "high"]], "One of low, high is expected."),
        ("x", datetime, "A time such as 2026-01-31T09:00:00Z is expected."),
        ("x", date, "A date such as 2026-01-31 is expected."),
    ],
)
def test_a_wrong_value_is_told_in_jsons_words(raw: Any, kind: Any, detail: str) -> None:
    [problem] = problems_in(raw, kind)
    assert problem.detail == detail


class Narrowed(msgspec.Struct, forbid_unknown_fields=True):
    stage: str | None = None
    most: int = 1


@pytest.mark.parametrize("kind", [Narrowed, Narrowed | None, Narrowed | None | msgspec.UnsetType])
def test_every_wrong_field_of_an_object_is_pointed_at_also_where_there_may_be_none(kind: Any) -> None:
    found = problems_in({"stage": 7, "created": 1, "most": "x"}, kind, "/filter")
    assert {problem.pointer for problem in found} == {"/filter/stage", "/filter/created", "/filter/most"}


def test_null_is_no_wrong_object_where_there_may_be_none() -> None:
    assert list(problems_in(None, Narrowed | None)) == []
    [wrong] = problems_in(7, Narrowed | None, "/filter")
    assert (wrong.pointer, wrong.detail) == ("/filter", "An object or null is expected, not a number.")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"ä": "'.encode() + b'\xff"}', "not valid UTF-8 at byte 8"),
        (b'{"a": "\\ud800"}', "half of a surrogate pair at byte 7"),
        (b'{"a": "\\udc00", "b": 1, "c": 2}', "half of a surrogate pair at byte 7"),
        (b'{"a": "\\ud800\\u0041", "b": 1, "c": 2}', "half of a surrogate pair at byte 7"),
        (b'{"a": "\\ud800", "b": 1, "c": 2}', "half of a surrogate pair at byte 7"),
        (b'{"a": "\\\\ud800', "it ends too early"),
        (b'{"a": 1,}', "trailing comma in object (byte 8)"),
        (b"[1e999]", "a number that is out of range"),
    ],
)
def test_a_body_that_is_no_json_is_told_where(body: bytes, words: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        decode_json(body)
    assert words in str(refused.value)


def test_a_summary_names_the_first_places() -> None:
    problems = [FieldProblem(f"/{name}", "Is wrong.") for name in "abcd"]
    assert str(InvalidInput(problems)) == "4 fields are invalid: /a, /b, /c, …"
    assert str(InvalidInput(problems[:2])) == "2 fields are invalid: /a, /b."
    assert str(InvalidInput(problems[:1])) == "/a: Is wrong."


def test_every_problem_is_a_sentence() -> None:
    refused = InvalidInput([FieldProblem("/a", "must be an object"), FieldProblem("/b", "Is wrong.")])
    assert [problem.detail for problem in refused.problems] == ["Must be an object.", "Is wrong."]
