"""The sliding window: strict in every window of its length, and room comes back."""

from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.window import SLOTS, Charge, LocalCounter, width_ms

LIMIT = Charge("learner", 3, 60)


def taken_at(counter: LocalCounter, *moments_ms: int) -> list[bool]:
    return [counter.take((LIMIT,), moment)[0] for moment in moments_ms]


@example([0, 976], 1, 1)  # a second has no 60 equal parts in whole milliseconds
@given(st.lists(st.integers(min_value=0, max_value=40_000), max_size=60), st.integers(1, 5), st.integers(1, 90))
def test_no_window_ever_holds_more_than_the_limit(steps: list[int], limit: int, seconds: int) -> None:
    """Whatever the times: between any unit and the end of its window there are at most `limit`."""
    charge, counter, now, taken = Charge("k", limit, seconds), LocalCounter(), 0, []
    for step in steps:
        now += step
        if counter.take((charge,), now)[0]:
            taken.append(now)
    assert all(sum(start <= t < start + seconds * 1000 for t in taken) <= limit for start in taken)


@given(st.integers(0, 10_000_000), st.integers(1, 300))
def test_room_is_back_when_it_was_promised(start: int, seconds: int) -> None:
    """And not a slot later than the window's length needs."""
    charge, counter = Charge("k", 1, seconds), LocalCounter()
    counter.take((charge,), start)
    refused, rooms = counter.take((charge,), start)
    assert not refused
    assert rooms[0].seconds * 1000 <= seconds * 1000 + 2 * width_ms(charge) + 1000
    assert counter.take((charge,), start + rooms[0].seconds * 1000)[0]


def test_a_refusal_costs_nothing() -> None:
    """Only what was taken counts, so one who keeps knocking is let in as soon as anybody."""
    counter = LocalCounter()
    assert taken_at(counter, 0, 0, 0) == [True] * 3
    assert taken_at(counter, *range(1_000, 60_000, 1_000)) == [False] * 59
    assert taken_at(counter, 61_000) == [True]


def test_all_charges_are_taken_or_none() -> None:
    """A learner refused by the tenant's limit keeps their own room."""
    counter, tenant = LocalCounter(), Charge("tenant", 1, 60)
    assert counter.take((Charge("u-1", 2, 60), tenant), 0)[0]
    taken, rooms = counter.take((Charge("u-2", 2, 60), tenant), 0)
    assert not taken
    assert [room.left for room in rooms] == [2, 0]


def test_what_is_given_back_can_be_taken_again() -> None:
    """Once, and only what was taken."""
    counter = LocalCounter()
    counter.give_back((LIMIT,), 0)
    assert taken_at(counter, 0, 0, 0, 0) == [True, True, True, False]
    counter.give_back((LIMIT,), 100)
    assert taken_at(counter, 200, 200) == [True, False]


def test_memory_is_bounded() -> None:
    """The key used longest ago is forgotten first."""
    counter = LocalCounter(most_keys=2)
    for key in ("a", "b", "a", "c"):
        counter.take((Charge(key, 1, 60),), 0)
    assert [counter.take((Charge(key, 1, 60),), 0)[0] for key in ("a", "b")] == [False, True]


@given(st.integers(1, 100_000))
def test_slots_cover_their_window_and_little_more(seconds: int) -> None:
    """Shorter, and a unit would be forgotten before its window is over."""
    width = width_ms(Charge("k", 1, seconds))
    assert (width - 1) * SLOTS < seconds * 1000 <= width * SLOTS
