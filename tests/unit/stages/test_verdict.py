"""Retry or bury: one pure decision."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.lifecycle import Event
from pipeline.model import Claim
from pipeline.stages.outcome import Deferred, Degraded, Done, Rejected, RetryLater
from pipeline.stages.verdict import RetryPolicy, backoff_seconds, jitter, judge

POLICY = RetryPolicy(max_attempts=3, base_seconds=1.0, cap_seconds=10.0)


def claim(attempt: int) -> Claim:
    return Claim("s", 1, epoch=attempt, attempt=attempt)


def test_each_outcome_is_an_event() -> None:
    for outcome, event in (
        (Done({"a": 1}), Event.SUCCEEDED),
        (Degraded({"a": 1}, "less"), Event.SUCCEEDED_WITH_LESS),
        (RetryLater("E"), Event.POSTPONED),
        (Rejected("E"), Event.EXHAUSTED),
        (Deferred(60.0, "E"), Event.GAVE_BACK),
    ):
        assert judge(claim(1), outcome, POLICY, 0.5).event is event


@given(st.integers(1, 10))
def test_what_waits_for_something_is_never_exhausted(attempt: int) -> None:
    verdict = judge(claim(attempt), Deferred(60.0, "waits"), POLICY)
    assert (verdict.event, verdict.delay_seconds, verdict.error) == (Event.GAVE_BACK, 60.0, "waits")


@given(st.integers(1, 10))
def test_attempts_have_a_limit(attempt: int) -> None:
    verdict = judge(claim(attempt), RetryLater("E", traceback="here"), POLICY, 0.5)
    assert verdict.event is (Event.POSTPONED if attempt < POLICY.max_attempts else Event.EXHAUSTED)
    assert (verdict.error, verdict.traceback) == ("E", "here")


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_back_off_stays_under_its_growing_ceiling(attempt: int, fraction: float) -> None:
    seconds = backoff_seconds(attempt, POLICY, fraction)
    assert 0 <= seconds <= min(POLICY.cap_seconds, POLICY.base_seconds * 2.0 ** min(attempt - 1, 30))


def test_back_off_doubles_until_the_cap() -> None:
    assert [backoff_seconds(n, POLICY, 1.0) for n in range(1, 7)] == [1, 2, 4, 8, 10, 10]


def test_an_outcome_may_say_itself_when_to_come_back() -> None:
    assert judge(claim(1), RetryLater("E", delay_seconds=7.0), POLICY, 0.5).delay_seconds == 7.0


def test_jitter_is_a_fraction() -> None:
    assert all(0 <= jitter() < 1 for _ in range(1_000))
