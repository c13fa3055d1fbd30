"""Responses and keys as people read them who decide."""

from typing import Any

import pytest

from pipeline.model import JsonValue, Question
from pipeline.scoring.readable import key_texts, response_text


@pytest.mark.parametrize(
    ("response", "text"),
    [
        ("a\n  b", "a\n  b"),
        (["x", "y\nz"], "1. x\n2. y\nz"),
        (["x", None], "1. x\n2. "),
        (None, ""),
        (True, "true"),
        ({"a": "ㄱ"}, '{"a":"ㄱ"}'),
    ],
)
def test_a_response_reads_as_it_was_written(response: JsonValue, text: str) -> None:
    assert response_text(response) == text


@pytest.mark.parametrize(
    ("kind", "answer", "texts"),
    [
        ("essay", {}, {}),
        ("essay", {"reference": "R", "rubric": []}, {"reference": "R"}),
        (
            "essay",
            {"rubric": [{"id": "a", "description": "A", "points": 2}, {"id": "b", "description": "B", "points": 0.5}]},
            {"rubric": "2: A\n0.5: B"},
        ),
        ("short_text", {"accepted": ["a", "b"], "pattern": "c+"}, {"accepted": "a\nb\n/c+/"}),
        ("cloze", {"blanks": [{"accepted": ["a", "b"]}, {"pattern": "c"}]}, {"accepted": "1. a / b\n2. /c/"}),
        ("true_false", {"value": True}, {"key": '{"value":true}'}),
    ],
)
def test_a_key_reads_part_by_part(kind: str, answer: Any, texts: dict[str, str]) -> None:
    assert dict(key_texts(Question("q", 1, kind, "?", answer))) == texts
