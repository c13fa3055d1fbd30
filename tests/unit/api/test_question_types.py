"""The types that the question bank can be filtered by."""

from typing import get_args

from pipeline.scoring.answer_key import QuestionType
from pipeline.scoring.rule import RULES


def test_every_type_that_is_scored_can_be_asked_for_and_no_other() -> None:
    assert get_args(QuestionType) == tuple(RULES)
