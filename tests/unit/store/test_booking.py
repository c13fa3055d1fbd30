"""Who is let in on budgets, whatever is wanted at once."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pipeline.ports.generation import Budgets, Spent
from pipeline.store.booking import Booking, BudgetKey, judge
from tests.contracts.ledger_world import an_attempt

LIMITS = st.none() | st.integers(0, 300)
BUDGETS = st.builds(Budgets, LIMITS, LIMITS)
SPENT = st.dictionaries(st.tuples(st.integers(1, 2), st.sampled_from(["", "ada", "bob"])), st.integers(0, 300))


@st.composite
def bookings(draw: st.DrawFn) -> Booking:
    learner_id = draw(st.sampled_from([None, "ada", "bob"]))
    attempt = an_attempt(draw(st.integers(1, 2)), learner_id, estimate=draw(st.integers(0, 100)))
    return Booking(attempt, draw(BUDGETS))


@given(st.lists(bookings(), max_size=20), SPENT)
def test_who_is_let_in_has_room_in_all_its_budgets_and_who_is_not_lacks_it_in_one(
    wanted: list[Booking], spent: dict[BudgetKey, int]
) -> None:
    """Judged in order, each on what was let in before it."""
    judged, booked = judge(wanted, spent), Counter(spent)
    assert judged.keys() == {booking.attempt.id for booking in wanted}
    for booking in wanted:
        estimate = booking.attempt.estimate
        full = [
            Spent("learner" if learner_id else "tenant", limit)
            for (tenant_id, learner_id), limit in booking.limits.items()
            if limit is not None and booked[tenant_id, learner_id] + estimate > limit
        ]
        assert judged[booking.attempt.id] == (full[0] if full else None)
        if not full:
            booked.update(dict.fromkeys(booking.limits, estimate))
