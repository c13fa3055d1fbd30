"""A person's word on an answer: what it is worth, and what is learnt from it."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from pipeline.errors import Conflict, InvalidInput
from pipeline.learning.evidence import PROVISIONAL_WEIGHT, evidence_of, evidence_of_decision
from pipeline.learning.rating import ItemRating
from pipeline.model import Answer, AnswerScore, LearnerContext, Outcome, Question, ScoredAnswer, Work
from pipeline.stages.recommend import LearnerState, learn
from pipeline.stages.settlement import Decision, first_decision, learn_decision, recounted, settle

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = NOW + timedelta(days=2)
ESSAY = AnswerScore(Outcome.NEEDS_REVIEW, None, None, 5.0, "essay/1")
ESTIMATED = AnswerScore(Outcome.NEEDS_REVIEW, 0.4, 2.0, 5.0, "short_text/1")
QUESTION = Question("why", 1, "essay", "Why?", {}, points=5.0, topics=("reasons",))
NOBODY = LearnerState({})


def decided(score: AnswerScore, **decision: float | str) -> AnswerScore:
    return settle(score, msgspec.convert(decision, Decision), by="key:1", at=LATER)


def work(*scores: AnswerScore) -> Work:
    """A submission that answers the same kind of question once per score."""
    answers = tuple(
        Answer(msgspec.structs.replace(QUESTION, id=f"why-{n}"), "Because.", 90_000) for n in range(len(scores))
    )
    return Work("s", 1, "ada", LearnerContext(), NOW, NOW, LATER, answers, scores)


def answered(score: AnswerScore) -> ScoredAnswer:
    return work(score).scored_answers[0]


@pytest.mark.parametrize(
    ("decision", "outcome", "fraction", "points"),
    [
        ({"points": 5}, Outcome.CORRECT, 1.0, 5.0),
        ({"points": 3.5}, Outcome.PARTIAL, 0.7, 3.5),
        ({"points": 0}, Outcome.INCORRECT, 0.0, 0.0),
        ({"fraction": 1}, Outcome.CORRECT, 1.0, 5.0),
        ({"fraction": 0.3333333}, Outcome.PARTIAL, 0.333333, 1.6667),
    ],
)
def test_points_or_a_fraction_make_outcome_fraction_and_points(
    decision: dict[str, float], outcome: Outcome, fraction: float, points: float
) -> None:
    found = decided(ESSAY, **decision)
    assert (found.outcome, found.fraction, found.points, found.max_points) == (outcome, fraction, points, 5.0)


def test_a_decision_says_whose_it_is_and_when_and_what_the_rule_had_guessed() -> None:
    settled = decided(ESTIMATED, points=4, comment="Good.").settled
    assert settled is not None
    assert (settled.by, settled.at, settled.comment, settled.estimate) == ("key:1", LATER, "Good.", 0.4)


@pytest.mark.parametrize("score", [ESSAY, ESTIMATED])
def test_what_the_rule_said_is_known_after_any_number_of_decisions(score: AnswerScore) -> None:
    assert decided(decided(score, points=1), points=2).ruled == score


def test_the_same_decision_again_is_the_very_same_score() -> None:
    first = decided(ESSAY, points=3.5, comment="Good.")
    again = settle(first, Decision(fraction=0.7, comment="Good."), by="key:2", at=LATER + timedelta(1))
    assert again is first
    assert decided(first, points=3.5) is not first


@pytest.mark.parametrize("outcome", [Outcome.CORRECT, Outcome.PARTIAL, Outcome.INCORRECT, Outcome.UNANSWERED])
def test_what_a_rule_was_sure_of_is_not_settled(outcome: Outcome) -> None:
    with pytest.raises(Conflict, match=outcome):
        decided(AnswerScore(outcome, 0.0, 0.0, 5.0, "essay/1"), points=1)


def test_more_than_the_question_is_worth_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput) as refused:
        decided(ESSAY, points=5.1)
    assert [problem.pointer for problem in refused.value.problems] == ["/points"]


@pytest.mark.parametrize(("score", "left"), [(ESSAY, 1.0), (ESTIMATED, 1.0 - PROVISIONAL_WEIGHT)])
def test_a_decision_weighs_what_the_estimate_left(score: AnswerScore, left: float) -> None:
    evidence = evidence_of_decision(answered(decided(score, points=4)))
    assert evidence is not None
    assert (evidence.learner_weight, evidence.item_weight, evidence.outcome) == (left, left, 0.8)


@pytest.mark.parametrize("score", [ESSAY, ESTIMATED])
def test_an_answer_counts_once_whether_it_was_estimated_or_not(score: AnswerScore) -> None:
    handed_in = work(score)
    effect, learner = learn(handed_in, NOBODY, {})
    answer = answered(decided(score, points=5))
    effect, learner = learn_decision(answer, LATER, learner, effect.items["why-0"])
    assert learner.skills["reasons"].answers == 1
    assert learner.skills["reasons"].correct == 1
    assert effect.items["why-0"].answers == 1
    assert learner.recent_correct == ("why-0",)


def test_half_of_an_estimate_that_is_confirmed_is_less_than_the_whole_of_a_decision() -> None:
    answer = answered(decided(ESTIMATED, points=5))
    half, _ = learn_decision(answer, LATER, NOBODY, ItemRating(0.0))
    whole, _ = learn_decision(answered(decided(ESSAY, points=5)), LATER, NOBODY, ItemRating(0.0))
    assert half.changes[0].item_step == pytest.approx(whole.changes[0].item_step / 2)
    assert half.changes[0].skill_steps[0] == pytest.approx(whole.changes[0].skill_steps[0] / 2)


def test_handing_in_is_learnt_as_the_rules_saw_it_even_after_a_decision() -> None:
    """So it makes no difference which of the two is learnt from first."""
    assert learn(work(decided(ESTIMATED, points=5)), NOBODY, {}) == learn(work(ESTIMATED), NOBODY, {})


def test_later_corrections_change_nothing_of_what_was_learnt() -> None:
    first, corrected = decided(ESSAY, points=1), decided(decided(ESSAY, points=1), points=5)
    live, replayed = answered(first), first_decision(answered(corrected), 0.2, LATER)
    item = ItemRating(0.5, 3)
    effect, learner = learn_decision(live, LATER, NOBODY, item)
    again, learner_again = learn_decision(replayed, LATER, NOBODY, item)
    assert (again.changes, again.items, learner_again) == (effect.changes, effect.items, learner)


def test_nothing_is_folded_in_where_nobody_decided() -> None:
    assert evidence_of_decision(answered(ESTIMATED)) is None
    assert evidence_of(answered(ESTIMATED)) is not None


@pytest.mark.parametrize(("score", "scored", "millionths"), [(ESSAY, 1, 1_000_000), (ESTIMATED, 0, 600_000)])
def test_figures_get_the_difference(score: AnswerScore, scored: int, millionths: int) -> None:
    increments = recounted(work(ESSAY, score), 1, decided(score, points=5))
    [day], [count] = increments.days, increments.questions
    assert (day.submissions, day.learner_id, day.day) == (0, "ada", NOW.date())
    assert count.question_id == "why-1"
    assert day.sums == count.sums
    sums = day.sums
    assert (sums.answers, sums.scored, sums.correct, sums.fraction_millionths, sums.timed) == (
        0,
        scored,
        1,
        millionths,
        0,
    )
