"""Reading a hand-in's JSON."""

from datetime import UTC, datetime
from itertools import islice

import msgspec
import pytest

from cli.bench.load import bodies
from pipeline.errors import InvalidInput
from pipeline.scoring.repetition import fields_in
from pipeline.service.hand_in import SubmissionIn
from pipeline.service.intake import (
    MOST_LEVELS,
    IntakeLimits,
    decode_json,
    fields_of,
    is_nested_deeper,
    read_submission,
)


@pytest.mark.parametrize(("opening", "closing"), [('{"a":', "}"), ("[", "]")])
def test_a_body_may_be_nested_so_deep_and_no_deeper(opening: str, closing: str) -> None:
    deepest = opening * MOST_LEVELS + "1" + closing * MOST_LEVELS
    assert decode_json(deepest.encode())
    with pytest.raises(InvalidInput):
        decode_json(f"[{deepest}]".encode())


def test_breadth_is_not_depth() -> None:
    assert not is_nested_deeper([[1, 2], {"a": [3]}, [[4]]] * 1000, 3)
    assert is_nested_deeper([1, [2, [3]]], 2)


LIMITS = IntakeLimits(max_answers=10, max_metadata_bytes=1_000)
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (b'{"learner_id": "u-1", "learner_id": "u-2", "answers": [{"question_id": "q"}]}', ["/learner_id"]),
        (b'{"learner_id": "u", "answers": [{"question_id": "q"}], "answers": [{"question_id": "r"}]}', ["/answers"]),
        (b'{"learner_id":"u","answers":[{"question_id":"q","response":1,"response":2}]}', ["/answers/0/response"]),
        (b'{"learner_id":"u","answers":[{"question_id":"q","response":null,"response":2}]}', ["/answers/0/response"]),
        (
            b'{"learner_id":"u","answers":[{"question_id":"q","response":{"l":"1","l":"2"}}]}',
            ["/answers/0/response/l"],
        ),
        (b'{"learner_id":"u","answers":[{"question_id":"q"}],"metadata":{"a":[{"b":1,"b":1}]}}', ["/metadata/a/0/b"]),
        (b'{"learner_id":"u","answers":[{"question_id":"q"}],"loc\\u0061le":"en","locale":"ko"}', ["/locale"]),
        (
            b'{"learner_id":"u","learner_id":"u","answers":[{"question_id":"q"},{"question_id":"q"}]}',
            ["/learner_id", "/answers/1/question_id"],
        ),
    ],
)
def test_a_field_that_stands_twice_in_a_hand_in_is_refused_by_name(body: bytes, pointers: list[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_submission(body, LIMITS, NOW)
    assert [problem.pointer for problem in refused.value.problems] == pointers


def test_a_field_that_stands_twice_in_any_other_body_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput) as refused:
        decode_json(b'{"points": 1, "points": 5}')
    assert [problem.pointer for problem in refused.value.problems] == ["/points"]


EVERYTHING = {
    "learner_id": "u",
    "answers": [
        {"question_id": "q", "response": {"l": "1", "m": ["2"]}, "response_time_ms": 5, "confidence": 4},
        {"question_id": "r", "response": [1, {"x": None}]},
        {"question_id": "s", "response": "10:30"},
        {"question_id": "t", "response": None, "confidence": None},
    ],
    "assignment_id": "hw",
    "locale": "en",
    "career_goal": "web",
    "industry": "fintech",
    "priority": "low",
    "retry_feedback": True,
    "callback_url": "https://school.example/done",
    "metadata": {"a": {"b": [{"c": ":"}]}},
    "submitted_at": "2026-05-04T10:00:00Z",
    "idempotency_key": "k",
}


@pytest.mark.parametrize("left_out", [None, *sorted({*EVERYTHING} - {"learner_id", "answers"})])
def test_whatever_stands_once_is_taken(left_out: str | None) -> None:
    sent = {name: value for name, value in EVERYTHING.items() if name != left_out}
    body = msgspec.json.encode(sent)
    assert read_submission(body, LIMITS, NOW) == msgspec.convert(sent, SubmissionIn)
    assert fields_of(read_submission(body, LIMITS, NOW)) <= fields_in(sent)


def test_a_hand_in_that_says_only_what_it_must_is_read_once() -> None:
    """Each field that is sent is counted, so that no doubt is left; that is what keeps the check cheap."""
    for body in islice(bodies(), 4):
        assert fields_of(read_submission(body, LIMITS, NOW)) == body.count(b":")
