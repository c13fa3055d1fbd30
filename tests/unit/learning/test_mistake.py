"""Every error has one kind, and the sums of kinds fade as the errors do."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.learning.evidence import evidence_of
from pipeline.learning.mistake import Mistake, MistakeShare, mistake_in, mistaken, shares
from pipeline.learning.recency import WINDOW
from pipeline.model import Outcome, Question, ScoredAnswer
from tests.unit.learning.samples import NOW, question, scored, scored_answers

LONG = msgspec.structs.replace(question(kind="multiple_choice"), prompt="x" * 400)
CHOICE = question(kind="single_choice", options=4)


def judged(
    asked: Question = LONG,
    fraction: float = 0.0,
    *,
    outcome: Outcome | None = None,
    confidence: int | None = None,
    milliseconds: int | None = None,
    expected: float = 0.5,
) -> Mistake | None:
    one = scored(asked, fraction, outcome)
    told = msgspec.structs.replace(one.answer, confidence=confidence, response_time_ms=milliseconds)
    one = msgspec.structs.replace(one, answer=told)
    evidence = evidence_of(one)
    assert evidence is not None
    return mistake_in(one, evidence, expected)


def test_each_kind_has_its_sign() -> None:
    assert judged(fraction=1.0) is None
    assert judged(outcome=Outcome.UNANSWERED) is Mistake.UNANSWERED
    assert judged(fraction=0.4) is Mistake.INCOMPLETE
    assert judged(milliseconds=500) is Mistake.RUSHED
    assert judged(confidence=4) is Mistake.MISCONCEPTION
    assert judged(expected=0.8) is Mistake.SLIP
    assert judged() is Mistake.GAP


def test_the_first_sign_that_holds_decides() -> None:
    assert judged(outcome=Outcome.UNANSWERED, milliseconds=500, confidence=5) is Mistake.UNANSWERED
    assert judged(fraction=0.4, milliseconds=500, confidence=5) is Mistake.INCOMPLETE
    assert judged(milliseconds=500, confidence=5, expected=0.9) is Mistake.RUSHED
    assert judged(confidence=5, expected=0.9) is Mistake.MISCONCEPTION


def test_what_is_mostly_guessing_is_no_slip() -> None:
    assert judged(CHOICE, expected=0.8) is Mistake.GAP
    assert judged(CHOICE, expected=0.82) is Mistake.SLIP


@pytest.mark.parametrize(("milliseconds", "kind"), [(None, Mistake.GAP), (4_999, Mistake.RUSHED), (5_000, Mistake.GAP)])
def test_without_a_time_nobody_was_in_haste(milliseconds: int | None, kind: Mistake) -> None:
    assert judged(milliseconds=milliseconds) is kind


@given(scored_answers(), st.floats(0, 1))
def test_an_answer_is_a_mistake_where_and_only_where_it_has_an_error(answer: ScoredAnswer, expected: float) -> None:
    evidence = evidence_of(answer)
    if evidence is None:
        return
    is_mistake = mistake_in(answer, evidence, max(expected, evidence.guess)) is not None
    assert is_mistake == (evidence.error > 0 or answer.score.outcome is Outcome.UNANSWERED)


def test_sums_fade_with_time_and_are_gone_after_the_window() -> None:
    sums = mistaken((), NOW, kind=Mistake.GAP, weight=1.0, at=NOW)
    later = mistaken(sums, NOW, kind=Mistake.SLIP, weight=1.0, at=NOW + timedelta(days=2))
    assert later == (0.0, 0.0, 0.0, 1.0, 0.0, 0.5)
    assert mistaken(sums, NOW, kind=None, weight=0.0, at=NOW + timedelta(days=2)) == (0.0, 0.0, 0.0, 0.0, 0.0, 0.5)
    assert mistaken(later, NOW, kind=None, weight=0.0, at=NOW + WINDOW + timedelta(seconds=1)) == ()


def test_an_answer_that_comes_late_is_faded_instead() -> None:
    late = mistaken((), NOW, kind=Mistake.GAP, weight=1.0, at=NOW - timedelta(days=2))
    assert late == (0.0, 0.0, 0.0, 0.0, 0.0, 0.5)


def test_shares_come_largest_first_and_small_ones_not_at_all() -> None:
    assert shares((0.0, 1.0, 0.0, 0.2, 0.0, 2.0)) == (
        MistakeShare(Mistake.GAP, 0.62),
        MistakeShare(Mistake.RUSHED, 0.31),
    )
    assert shares(()) == ()


def test_the_order_of_kinds_is_what_is_stored() -> None:
    """Kinds may be added at the end; moved or taken out, sums of before would count as something else."""
    assert list(Mistake) == ["unanswered", "rushed", "misconception", "slip", "incomplete", "gap"]
