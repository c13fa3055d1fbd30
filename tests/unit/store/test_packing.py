"""Results are stored without a name beside every value, and come back as they were."""

from datetime import UTC, datetime

import msgspec
import pytest

from pipeline.learning.advice import (
    Recommendation,
    RecommendedProject,
    RecommendedQuestion,
    RecommendedResource,
    Why,
)
from pipeline.learning.candidate import Kind
from pipeline.learning.mistake import Mistake, MistakeShare
from pipeline.learning.weakness import Weakness
from pipeline.lifecycle import Stage
from pipeline.model import AnswerScore, Outcome, Settlement
from pipeline.prompting.feedback import AnswerFeedback, Feedback, Source
from pipeline.stages.score import sum_up
from pipeline.store.packing import ROWS, packed, unpacked

SCORE = sum_up([AnswerScore(Outcome.PARTIAL, 0.5, 1.0, 2.0, "numeric/1"), AnswerScore(Outcome.NEEDS_REVIEW, None, None, 1.0, "essay/1")])  # fmt: skip  # noqa: E501 - one line per sample
FEEDBACK = Feedback(Source.TEMPLATE, "Well done.", (AnswerFeedback("q", "Right.", Source.TEMPLATE, "template", None, "t@1"),))  # fmt: skip  # noqa: E501 - one line per sample
DEGRADED = msgspec.structs.replace(FEEDBACK, shortfall="the budget is spent")
ADVICE = Recommendation(
    (RecommendedQuestion("q", Kind.REVIEW, "loops", 0.75, None, (Why.DUE, 3, 0.8)),),
    (Weakness("loops", 0.5, 3, 1, datetime(2026, 1, 1, tzinfo=UTC), (MistakeShare(Mistake.GAP, 1.0),)),),
    (RecommendedResource("r", "Loops", "video", "https://example.org", "loops", 2, "en", 10, (Why.WEAK,)),),
    (RecommendedProject("p", "A game", 2, 8.0, (Why.PROJECT, 2, 1, 3, True, False)),),
    rationale="Because.",
)
SETTLED = sum_up([AnswerScore(Outcome.CORRECT, 1.0, 2.0, 2.0, "essay/1", Settlement("key:1", datetime(2026, 1, 1, tzinfo=UTC), None, None))])  # fmt: skip  # noqa: E501 - one line per sample
SAMPLES = [
    (Stage.SCORE, SCORE),
    (Stage.SCORE, SETTLED),
    (Stage.FEEDBACK, FEEDBACK),
    (Stage.FEEDBACK, DEGRADED),
    (Stage.RECOMMEND, ADVICE),
]


def as_stored(value: object) -> object:
    return msgspec.json.decode(msgspec.json.encode(value))


@pytest.mark.parametrize(("stage", "body"), SAMPLES)
def test_a_result_comes_back_as_the_document_it_was(stage: Stage, body: msgspec.Struct) -> None:
    stored = as_stored(packed(stage, body))
    assert isinstance(stored, dict)
    assert unpacked(stage, stored) == as_stored(body)


@pytest.mark.parametrize(("stage", "body"), SAMPLES)
def test_no_name_of_a_record_is_stored(stage: Stage, body: msgspec.Struct) -> None:
    text = msgspec.json.encode(packed(stage, body)).decode()
    for names in ROWS[stage].values():
        assert not [name for name in names if f'"{name}":' in text and name not in body.__struct_fields__]
    assert len(text) < len(msgspec.json.encode(body))


def test_what_came_as_plain_objects_is_stored_and_read_as_it_is() -> None:
    plain = {"points": 1.0, "answers": [{"outcome": "correct", "fraction": 1.0}]}
    assert packed(Stage.SCORE, plain) is plain
    assert unpacked(Stage.SCORE, plain) == plain


def test_advice_of_before_reasons_and_kinds_of_mistakes_can_still_be_read() -> None:
    old = {
        "questions": [["q", "review", "loops", 0.75, None]],
        "weaknesses": [["loops", 0.5, 3, 1, "2026-01-01T00:00:00Z"]],
        "resources": [],
        "projects": [],
        "rationale": "Because.",
    }
    advice = msgspec.convert(unpacked(Stage.RECOMMEND, old), Recommendation)
    assert (advice.questions[0].because, advice.weaknesses[0].mistakes) == ((), ())


def test_a_row_of_an_older_version_lacks_what_was_added_later() -> None:
    assert unpacked(Stage.SCORE, {"answers": [["correct", 1.0]]}) == {"answers": [{"outcome": "correct", "fraction": 1.0}]}  # fmt: skip  # noqa: E501 - reads best in one line


@pytest.mark.parametrize(
    ("stage", "field", "record"),
    [
        (Stage.SCORE, "answers", AnswerScore),
        (Stage.FEEDBACK, "answers", AnswerFeedback),
        (Stage.RECOMMEND, "questions", RecommendedQuestion),
        (Stage.RECOMMEND, "weaknesses", Weakness),
        (Stage.RECOMMEND, "resources", RecommendedResource),
        (Stage.RECOMMEND, "projects", RecommendedProject),
    ],
)
def test_every_field_of_a_record_has_its_place(stage: Stage, field: str, record: type[msgspec.Struct]) -> None:
    """Whoever adds a field is reminded here to add it at the end."""
    assert ROWS[stage][field] == record.__struct_fields__
