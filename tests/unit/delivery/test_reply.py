"""What a reply means for a delivery."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.delivery.reply import (
    Answered,
    DeliveryPolicy,
    DeliveryState,
    DeliveryVerdict,
    Failed,
    Refused,
    Reply,
    judge,
)

DAY = 86_400.0
POLICY = DeliveryPolicy(give_up_seconds=DAY)


def verdict(
    reply: Reply, *, attempt: int = 1, age_seconds: float = 0.0, random_fraction: float = 0.5
) -> DeliveryVerdict:
    return judge(reply, attempt=attempt, age_seconds=age_seconds, policy=POLICY, random_fraction=random_fraction)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_success_is_delivered(status: int) -> None:
    assert verdict(Answered(status)) == DeliveryVerdict(DeliveryState.DELIVERED, status=status)


@pytest.mark.parametrize("status", [101, 199, 300, 302, 400, 401, 404, 429, 500, 503, 599])
def test_any_other_answer_is_tried_again(status: int) -> None:
    said = verdict(Answered(status))
    assert (said.state, said.status, said.disable) == (DeliveryState.READY, status, False)
    assert str(status) in (said.error or "")


def test_gone_ends_the_delivery_and_its_endpoint() -> None:
    said = verdict(Answered(410))
    assert (said.state, said.disable) == (DeliveryState.DEAD, True)


def test_what_was_refused_is_not_tried_again() -> None:
    assert verdict(Refused("not public")) == DeliveryVerdict(DeliveryState.DEAD, error="not public")


@pytest.mark.parametrize(
    ("attempt", "seconds"), [(1, 5), (2, 30), (3, 120), (4, 600), (5, 1_800), (6, 3_600), (7, 7_200), (30, 7_200)]
)
def test_the_rest_grows_to_two_hours(attempt: int, seconds: float) -> None:
    assert verdict(Failed("silence"), attempt=attempt).delay_seconds == pytest.approx(seconds)


def test_jitter_moves_a_rest_by_a_fifth_at_most() -> None:
    assert verdict(Failed("silence"), attempt=2, random_fraction=0.0).delay_seconds == pytest.approx(24)
    assert verdict(Failed("silence"), attempt=2, random_fraction=1.0).delay_seconds == pytest.approx(36)


def test_a_receiver_may_ask_for_a_longer_rest_but_not_for_ever() -> None:
    assert verdict(Answered(429, retry_after_seconds=300)).delay_seconds == pytest.approx(300)
    assert verdict(Answered(429, retry_after_seconds=1)).delay_seconds == pytest.approx(5)
    assert verdict(Answered(503, retry_after_seconds=999_999)).delay_seconds == pytest.approx(7_200)


def test_the_last_try_happens_when_the_day_ends() -> None:
    nearly = verdict(Failed("silence"), attempt=15, age_seconds=DAY - 60)
    assert (nearly.state, nearly.delay_seconds) == (DeliveryState.READY, 60)
    assert verdict(Failed("silence"), attempt=16, age_seconds=DAY).state is DeliveryState.DEAD


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=60, max_size=60))
def test_a_receiver_that_never_answers_is_given_up_after_a_day_and_some_fifteen_tries(jitters: list[float]) -> None:
    age = 0.0
    for attempt, jitter in enumerate(jitters, start=1):
        said = verdict(Failed("silence"), attempt=attempt, age_seconds=age, random_fraction=jitter)
        if said.state is DeliveryState.DEAD:
            break
        age += said.delay_seconds + 10  # the try itself
    assert said.state is DeliveryState.DEAD
    assert DAY <= age <= DAY + 20
    assert 14 <= attempt <= 22
