"""Reviews follow from scores by rule, and FSRS makes of them when a topic is due."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from fsrs import Card, Rating, Scheduler, State
from hypothesis import given
from hypothesis import strategies as st

from pipeline.learning.memory import (
    LONGEST_DAYS,
    SCHEDULER,
    Memory,
    is_due,
    memory_after,
    overdue_days,
    rating_of,
    retrievability,
)
from pipeline.model import Outcome, ScoredAnswer
from tests.unit.learning.samples import NOW, question, scored, told

DAY = timedelta(days=1)
RATINGS = st.sampled_from(list(Rating))


def answered(
    fraction: float | None,
    *,
    confidence: int | None = None,
    milliseconds: int | None = None,
    outcome: Outcome | None = None,
) -> ScoredAnswer:
    one = scored(question(), fraction, outcome)
    told = msgspec.structs.replace(one.answer, confidence=confidence, response_time_ms=milliseconds)
    return msgspec.structs.replace(one, answer=told)


def rated(answers: Iterable[ScoredAnswer]) -> Rating:
    return rating_of(told(answers))


@pytest.mark.parametrize(
    ("fractions", "rating"),
    [
        ([0.0], Rating.Again),
        ([0.59], Rating.Again),
        ([1.0, 0.0], Rating.Again),
        ([0.6], Rating.Hard),
        ([1.0, 1.0, 0.0], Rating.Hard),
        ([0.84], Rating.Hard),
        ([0.85], Rating.Good),
        ([1.0] * 9 + [0.0], Rating.Good),
        ([1.0], Rating.Good),
    ],
)
def test_the_rating_follows_from_the_mean_fraction(fractions: list[float], rating: Rating) -> None:
    assert rated([answered(fraction) for fraction in fractions]) is rating


def test_a_blank_is_forgotten_and_an_essay_says_nothing() -> None:
    assert rated([answered(0.0, outcome=Outcome.UNANSWERED)]) is Rating.Again
    assert told([answered(None)]) == []


def test_an_estimate_counts_half() -> None:
    estimate = answered(0.0, outcome=Outcome.NEEDS_REVIEW)
    assert rated([answered(1.0), estimate]) is Rating.Hard


@pytest.mark.parametrize(
    ("confidence", "milliseconds", "rating"),
    [
        (5, None, Rating.Easy),
        (4, None, Rating.Easy),
        (3, None, Rating.Good),
        (3, 2_000, Rating.Good),
        (None, 2_000, Rating.Easy),
        (None, 60_000, Rating.Good),
        (5, 60_000, Rating.Easy),
    ],
)
def test_easy_is_who_was_right_and_sure_or_fast(
    confidence: int | None, milliseconds: int | None, rating: Rating
) -> None:
    assert rated([answered(1.0, confidence=confidence, milliseconds=milliseconds)]) is rating


def test_a_choice_made_faster_than_it_can_be_read_is_not_easy() -> None:
    choice = scored(question(kind="single_choice", options=4), 1.0)
    for milliseconds, rating in [(2_900, Rating.Good), (3_100, Rating.Easy)]:
        answer = msgspec.structs.replace(choice.answer, response_time_ms=milliseconds)
        assert rated([msgspec.structs.replace(choice, answer=answer)]) is rating


def test_one_answer_with_effort_or_not_right_makes_it_good() -> None:
    sure = answered(1.0, confidence=5)
    assert rated([sure, sure]) is Rating.Easy
    assert rated([sure, answered(1.0)]) is Rating.Good
    assert rated([sure, answered(0.9, confidence=5)]) is Rating.Good


GOLDEN = [
    (Rating.Good, 0, 2.3065, 2.118103970459016, 2),
    (Rating.Good, 2, 10.964332335820698, 2.111214235785395, 11),
    (Rating.Again, 20, 1.6357695511798567, 7.392238132342694, 2),
    (Rating.Hard, 21, 2.8514206264550053, 8.254074519842886, 3),
    (Rating.Easy, 40, 21.85891328522575, 7.655895953798593, 22),
]
"""Reviews on these days, the stability and difficulty after each, and the days until the next."""


@given(st.floats(0.001, 400), st.floats(1, 10), RATINGS, st.integers(0, 400 * 24), st.booleans())
def test_a_review_is_to_the_last_digit_that_of_a_plain_card(
    stability: float, difficulty: float, rating: Rating, hours: int, is_first: bool
) -> None:
    at = NOW + timedelta(hours=hours)
    before = None if is_first else Memory(stability, difficulty, NOW)
    card = (
        Card(card_id=0, due=at)
        if is_first
        else Card(0, State.Review, stability=stability, difficulty=difficulty, due=NOW, last_review=NOW)
    )
    plain, _ = SCHEDULER.review_card(card, rating, at)
    assert memory_after(before, NOW, rating, at) == Memory(plain.stability or 0.0, plain.difficulty or 0.0, plain.due)
    assert card.stability == (None if is_first else stability), "the library must still copy cards of others"


def test_memory_is_that_of_the_library_without_fuzz_and_steps() -> None:
    """To the last digit: what a rebuild makes of history has to be what was stored, after an upgrade too."""
    scheduler = Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)
    card, memory, last = Card(card_id=1, due=NOW), None, NOW
    for rating, day, stability, difficulty, days in GOLDEN:
        at = NOW + day * DAY
        card, _ = scheduler.review_card(card, rating, at)
        memory, last = memory_after(memory, last, rating, at), at
        assert (memory.stability, memory.difficulty, memory.due_at) == (card.stability, card.difficulty, card.due)
        assert memory == Memory(stability, difficulty, at + days * DAY)


@given(st.lists(st.tuples(RATINGS, st.integers(0, 400)), min_size=1, max_size=8))
def test_memory_survives_its_way_through_the_store(reviews: list[tuple[Rating, int]]) -> None:
    """Each review from what was stored gives the same floats as from what was kept."""
    kept: Memory | None = None
    stored: Memory | None = None
    last = at = NOW
    for rating, hours in reviews:
        at += timedelta(hours=hours)
        kept, stored = memory_after(kept, last, rating, at), memory_after(stored, last, rating, at)
        stored = msgspec.json.decode(msgspec.json.encode(stored), type=Memory)
        last = at
        assert stored == kept
        assert timedelta(days=1) <= kept.due_at - at <= timedelta(days=LONGEST_DAYS)


def test_a_review_that_comes_late_counts_at_the_time_of_the_last_one() -> None:
    memory = memory_after(None, NOW, Rating.Good, NOW)
    assert memory_after(memory, NOW, Rating.Good, NOW - 3 * DAY) == memory_after(memory, NOW, Rating.Good, NOW)


def test_the_zone_of_a_clock_does_not_matter() -> None:
    seoul = timezone(timedelta(hours=9))
    memory = memory_after(None, NOW, Rating.Good, NOW.astimezone(seoul))
    assert memory == memory_after(None, NOW, Rating.Good, NOW)
    assert memory_after(memory, NOW.astimezone(seoul), Rating.Hard, NOW + DAY) == memory_after(
        memory, NOW, Rating.Hard, NOW + DAY
    )


def test_it_is_recalled_with_nine_chances_in_ten_after_its_stability() -> None:
    memory = Memory(stability=10.0, difficulty=5.0, due_at=NOW + 10 * DAY)
    assert retrievability(memory, NOW, NOW) == 1.0
    assert retrievability(memory, NOW, NOW - DAY) == 1.0
    assert retrievability(memory, NOW, NOW + 10 * DAY) == pytest.approx(0.9)
    assert retrievability(memory, NOW, NOW + 100 * DAY) < 0.8
    assert retrievability(None, NOW, NOW + 100 * DAY) == 1.0


def test_due_is_from_its_moment_on() -> None:
    memory = Memory(1.0, 5.0, due_at=datetime(2026, 3, 1, tzinfo=UTC))
    assert not is_due(memory, memory.due_at - timedelta(microseconds=1))
    assert is_due(memory, memory.due_at)
    assert not is_due(None, NOW)
    assert overdue_days(memory, memory.due_at + timedelta(days=2, hours=23)) == 2
