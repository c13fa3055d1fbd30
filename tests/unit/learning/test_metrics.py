"""Figures add up exactly, however submissions are batched."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline.learning.metrics import (
    AnswerSums,
    FinishedAnswer,
    FinishedSubmission,
    Increments,
    LearnerDay,
    QuestionCount,
    StageMinute,
    StageRun,
    count_up,
)
from pipeline.lifecycle import Stage
from pipeline.model import Outcome

ACME, BETA = 1, 2
NOON = datetime(2026, 3, 9, 12, 0, 30, tzinfo=UTC)
milliseconds = st.integers(0, 10**7)
SEOUL = timezone(timedelta(hours=9))
moments = st.builds(
    lambda seconds, zone: (NOON + timedelta(seconds=seconds)).astimezone(zone),
    st.integers(-200_000, 200_000),
    st.sampled_from([UTC, SEOUL]),
)
answers = st.builds(
    FinishedAnswer,
    st.sampled_from(["q1", "q2", "q3"]),
    st.sampled_from(Outcome),
    st.none() | st.floats(0, 1),
    st.none() | milliseconds,
)
runs = st.builds(StageRun, st.sampled_from(Stage), moments, milliseconds, milliseconds)
submissions = st.lists(
    st.builds(
        FinishedSubmission,
        st.sampled_from([ACME, BETA]),
        st.sampled_from(["ann", "bob"]),
        moments,
        st.lists(answers, max_size=4).map(tuple),
        st.lists(runs, max_size=4).map(tuple),
    ),
    max_size=8,
)


def hand_in(
    *given_answers: FinishedAnswer,
    tenant: int = ACME,
    at: datetime = NOON,
    stages: tuple[StageRun, ...] = (),
) -> FinishedSubmission:
    return FinishedSubmission(tenant, "ann", at, given_answers, stages)


def test_a_learners_day_and_each_question_get_the_sums_of_their_answers() -> None:
    found = count_up(
        [
            hand_in(
                FinishedAnswer("q1", Outcome.CORRECT, 1.0, 4_000),
                FinishedAnswer("q2", Outcome.PARTIAL, 1 / 3),
                FinishedAnswer("q3", Outcome.NEEDS_REVIEW, None, 90_000),
            ),
            hand_in(FinishedAnswer("q1", Outcome.UNANSWERED, 0.0, 1_000)),
        ]
    )
    assert found.days == (LearnerDay(ACME, "ann", date(2026, 3, 9), 2, AnswerSums(4, 3, 1, 1_333_333, 3, 95_000)),)
    assert found.questions == (
        QuestionCount(ACME, "q1", AnswerSums(2, 2, 1, 1_000_000, 2, 5_000)),
        QuestionCount(ACME, "q2", AnswerSums(1, 1, 0, 333_333, 0, 0)),
        QuestionCount(ACME, "q3", AnswerSums(1, 0, 0, 0, 1, 90_000)),
    )


def test_a_stages_minute_sums_waits_and_runs_and_keeps_the_longest() -> None:
    runs_of_score = (
        StageRun(Stage.SCORE, NOON, wait_ms=5, run_ms=20),
        StageRun(Stage.SCORE, NOON + timedelta(seconds=29), wait_ms=7, run_ms=10),
        StageRun(Stage.SCORE, NOON + timedelta(seconds=30), wait_ms=1, run_ms=1),
    )
    minute = NOON.replace(second=0)
    assert count_up([hand_in(stages=runs_of_score)]).stages == (
        StageMinute(Stage.SCORE, minute, 2, 12, 30, 7, 20),
        StageMinute(Stage.SCORE, minute + timedelta(minutes=1), 1, 1, 1, 1, 1),
    )


def test_the_day_is_the_utc_day_of_the_hand_in() -> None:
    found = count_up([hand_in(at=datetime(2026, 3, 10, 8, 59, tzinfo=SEOUL))])
    assert [row.day for row in found.days] == [date(2026, 3, 9)]


def test_tenants_with_the_same_names_do_not_meet() -> None:
    answer = FinishedAnswer("q1", Outcome.CORRECT, 1.0)
    found = count_up([hand_in(answer), hand_in(answer, tenant=BETA)])
    assert [row.tenant_id for row in found.days] == [ACME, BETA]
    assert [(row.tenant_id, row.sums.answers) for row in found.questions] == [(ACME, 1), (BETA, 1)]


def test_a_submission_without_answers_still_counts_as_one() -> None:
    assert count_up([hand_in()]).days == (LearnerDay(ACME, "ann", date(2026, 3, 9), 1, AnswerSums()),)


def stored(*batches: list[FinishedSubmission]) -> dict[object, Any]:
    """What a store has after adding up the increments of these batches."""
    rows: dict[object, Any] = {}
    for found in map(count_up, batches):
        added: list[Any] = [*found.days, *found.questions, *found.stages]
        for row in added:
            rows[row.key] = rows[row.key] + row if row.key in rows else row
    return rows


@given(submissions, st.integers(0, 8))
def test_batching_any_way_gives_the_same_sums(batch: list[FinishedSubmission], cut: int) -> None:
    assert stored(batch[:cut], batch[cut:]) == stored(batch)
    assert stored(*([one] for one in reversed(batch))) == stored(batch)


@given(submissions)
def test_rows_come_once_per_key_and_in_lock_order(batch: list[FinishedSubmission]) -> None:
    found = count_up(batch)
    for keys in (
        [row.key for row in found.days],
        [row.key for row in found.questions],
        [row.key for row in found.stages],
    ):
        assert keys == sorted(set(keys))


@given(submissions)
def test_days_and_questions_count_the_same_answers(batch: list[FinishedSubmission]) -> None:
    found = count_up(batch)
    by_day = sum((row.sums for row in found.days), AnswerSums())
    by_question = sum((row.sums for row in found.questions), AnswerSums())
    assert by_day == by_question
    assert sum(row.submissions for row in found.days) == len(batch)


def test_nothing_finished_adds_nothing() -> None:
    assert count_up([]) == Increments()
