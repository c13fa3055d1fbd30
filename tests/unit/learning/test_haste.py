"""Which answers came faster than their question can be read."""

import msgspec
import pytest

from pipeline.learning.evidence import RAPID_WEIGHT, evidence_of
from pipeline.learning.haste import characters_of, is_rapid, letters_in, reading_ms
from pipeline.model import Answer, Outcome, ScoredAnswer
from tests.unit.learning.samples import question, scored

CHOICE = question(options=4, kind="single_choice")


def answered(milliseconds: int | None, kind: str = "single_choice", prompt: str = "?") -> Answer:
    asked = msgspec.structs.replace(question(options=4, kind=kind), prompt=prompt)
    return Answer(asked, "a", milliseconds)


@pytest.mark.parametrize(("characters", "seconds"), [(0, 3), (199, 3), (200, 5), (1_000, 5), (1_001, 10)])
def test_longer_questions_take_longer_to_read(characters: int, seconds: int) -> None:
    assert reading_ms(characters) == 1_000 * seconds


def test_prompt_and_options_are_read() -> None:
    assert characters_of(CHOICE) == 1 + 4


@pytest.mark.parametrize(
    ("text", "letters"), [("loop", 4), ("Schleife für", 12), ("цикл", 4), ("반복문", 9), ("for 循环", 10)]
)
def test_a_wide_character_counts_as_three_letters(text: str, letters: int) -> None:
    assert letters_in(text) == letters


@pytest.mark.parametrize(
    ("answer", "rapid"),
    [
        (answered(2_999), True),
        (answered(3_000), False),
        (answered(4_999, prompt="x" * 300), True),
        (answered(4_999, prompt="書" * 80), True),
        (answered(9_999, prompt="x" * 1_200), True),
        (answered(10_000, prompt="x" * 5_000), False),
        (answered(0, "true_false"), True),
        (answered(0, "numeric"), False),
        (answered(None), False),
    ],
)
def test_a_choice_made_before_it_can_be_read_is_rapid(answer: Answer, rapid: bool) -> None:
    assert is_rapid(answer) is rapid


@pytest.mark.parametrize("fraction", [0.0, 1.0])
def test_a_rapid_guess_weighs_less_right_or_wrong(fraction: float) -> None:
    slow, quick = (weights(milliseconds, fraction) for milliseconds in (8_000, 800))
    assert slow == (1.0, 1.0)
    assert quick == (RAPID_WEIGHT, RAPID_WEIGHT)


def test_leaving_out_a_question_quickly_is_no_guess() -> None:
    assert weights(800, 0.0, Outcome.UNANSWERED) == (1.0, 0.0)


def weights(milliseconds: int, fraction: float, outcome: Outcome | None = None) -> tuple[float, float]:
    judged = scored(CHOICE, fraction, outcome)
    evidence = evidence_of(
        ScoredAnswer(msgspec.structs.replace(judged.answer, response_time_ms=milliseconds), judged.score)
    )
    assert evidence is not None
    return evidence.learner_weight, evidence.item_weight
