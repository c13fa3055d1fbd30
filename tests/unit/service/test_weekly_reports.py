"""Weekly reports made for many: a bounded part is read at once, and a run that breaks off is gone on with."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curriculum.model import Curriculum
from pipeline.learning.goal import NO_GOALS
from pipeline.learning.week import week_of
from pipeline.ports.report import Active, HandInsFound, LearnersFound, WeekFacts
from pipeline.service.report import MOST_HAND_INS, READ_AT_ONCE, Reports, portions

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
WEEK = week_of(date(2026, 11, 16))
EVERYBODY = [f"u-{number:03}" for number in range(2 * READ_AT_ONCE + 5)]

ACTIVE = st.builds(Active, st.text(max_size=3), st.integers(1, 2 * MOST_HAND_INS))


@given(st.lists(ACTIVE, max_size=60))
def test_portions_have_everybody_once_in_order(learners: list[Active]) -> None:
    assert [id_ for portion in portions(learners) for id_ in portion] == [one.learner_id for one in learners]


@given(st.lists(ACTIVE, max_size=60))
def test_a_portion_is_bounded_in_learners_and_hand_ins(learners: list[Active]) -> None:
    """Only who alone has more hand-ins than that is read beyond it, and then alone."""
    left = iter(learners)
    for portion in portions(learners):
        hand_ins = [next(left).hand_ins for _ in portion]
        assert 0 < len(portion) <= READ_AT_ONCE
        assert sum(hand_ins) <= MOST_HAND_INS or len(portion) == 1


class Broken(Exception):
    """The machine went away."""


class KeptReports:
    """Learners of whom nothing is known but that they were active; it breaks before its `breaks_at`th write."""

    def __init__(self, breaks_at: int | None = None) -> None:
        self.bodies: dict[str, Any] = {}
        self.written: list[list[str]] = []
        self.breaks_at = breaks_at

    async def unreported(self, tenant_id: int, *_: date, after: str | None, most: int) -> LearnersFound:  # noqa: ARG002 - the port's
        behind = [id_ for id_ in EVERYBODY if id_ > (after or "")][:most]
        found = tuple(Active(id_, 1) for id_ in behind if id_ not in self.bodies)
        return LearnersFound(found, behind[-1] if len(behind) == most else None)

    async def facts(
        self,
        tenant_id: int,  # noqa: ARG002 - the port's
        learner_ids: Sequence[str],
        since: datetime,  # noqa: ARG002 - the port's
        until: datetime,  # noqa: ARG002 - the port's
        *,
        most: int,  # noqa: ARG002 - the port's
    ) -> list[WeekFacts]:
        return [WeekFacts(id_, HandInsFound(()), (), NO_GOALS, None, (), ()) for id_ in learner_ids]

    async def keep(self, tenant_id: int, week: date, bodies: Mapping[str, Any]) -> None:  # noqa: ARG002 - the port's
        if len(self.written) + 1 == self.breaks_at:
            raise Broken
        self.written.append(list(bodies))
        self.bodies |= bodies


class NothingTaught:
    """An empty curriculum."""

    async def current(self, tenant_id: int) -> Curriculum:  # noqa: ARG002 - the port's
        return Curriculum()


def reports_in(store: Any) -> Reports:
    nobody_asks: Any = None
    return Reports(store, nobody_asks, nobody_asks, NothingTaught(), clock=lambda: NOW)


async def test_reports_are_written_for_many_at_a_time() -> None:
    store = KeptReports()
    assert await reports_in(store).make_weekly_reports(1, WEEK, None, most=1_000) is None
    assert [len(written) for written in store.written] == [READ_AT_ONCE, READ_AT_ONCE, 5]
    assert {body["week"] for body in store.bodies.values()} == {WEEK.name}


async def test_a_run_that_broke_off_goes_on_with_those_who_have_no_report() -> None:
    store = KeptReports(breaks_at=2)
    with pytest.raises(Broken):
        await reports_in(store).make_weekly_reports(1, WEEK, None, most=1_000)
    assert sorted(store.bodies) == EVERYBODY[:READ_AT_ONCE]
    store.breaks_at = None
    await reports_in(store).make_weekly_reports(1, WEEK, None, most=1_000)
    assert [id_ for written in store.written for id_ in written] == EVERYBODY
