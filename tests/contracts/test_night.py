"""What Postgres says of a kept night and what Python says of the same assessments is the same, whatever they are."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Final

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.learning.metrics import AnswerSums
from pipeline.learning.risk import Completion, Facts, assess
from pipeline.ports.analytics import Assessed, RiskFilter
from pipeline.service.at_risk import risk_sums
from pipeline.service.careers import MOST_TOP, sums_by_goal
from pipeline.service.ranking import KeptRanking, LiveRanking, Ranking, fits, place_of
from pipeline.store.engine import transaction
from pipeline.store.risk import RiskStore
from tests.samples import new_tenant

DAY: Final = datetime(2026, 3, 9, tzinfo=UTC).date()
IDS: Final = st.text("aZ9-_가é", min_size=1, max_size=3)
GOALS: Final = st.sampled_from([None, "dev", "data", "ünïcode"])
LEARNERS: Final = text("INSERT INTO learners (tenant_id, id) SELECT :tenant_id, unnest(CAST(:ids AS text[]))")
WORST: Final = Facts(AnswerSums(), AnswerSums(9, 9), None, Completion(0, 5), weaknesses=9)
"""Every sign holds."""
tenants: Final = count()

few = settings(
    max_examples=15,
    phases=[Phase.explicit, Phase.generate],  # shrinking takes a minute and the lists are short
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
"""Each example is a tenant of its own, so that they may share a database."""


@st.composite
def answer_sums(draw: st.DrawFn) -> AnswerSums:
    scored = draw(st.integers(0, 20))
    correct = draw(st.integers(0, scored))
    return AnswerSums(scored, scored, correct, correct * 1_000_000)


@st.composite
def assessments(draw: st.DrawFn) -> list[Assessed]:
    """Learners of one night, of whom any fact may be missing and any sign may hold."""
    modules = st.integers(1, 9).flatmap(lambda all_: st.builds(Completion, st.integers(0, all_), st.just(all_)))
    days = st.sampled_from([0, 6, 7, 8, 27, 28, 40]).map(lambda ago: DAY - timedelta(days=ago))
    facts = st.builds(
        Facts, answer_sums(), answer_sums(), st.none() | days, st.none() | modules, weaknesses=st.integers(0, 9)
    )
    found = draw(st.dictionaries(IDS, st.tuples(facts | st.just(WORST), GOALS), max_size=30))
    return [
        Assessed(id_, assess(known, DAY), goal, known.completion, known.last_day)
        for id_, (known, goal) in found.items()
    ]


async def kept(engine: AsyncEngine, assessed: list[Assessed]) -> tuple[RiskStore, int]:
    """The store after this night of a new tenant's, and the tenant."""
    tenant_id, store = await new_tenant(engine, f"school {next(tenants)}"), RiskStore(engine)
    async with transaction(engine) as connection:
        await connection.execute(LEARNERS, {"tenant_id": tenant_id, "ids": [one.learner_id for one in assessed]})
    await store.save(tenant_id, DAY, assessed)
    return store, tenant_id


@few
@given(assessments(), st.builds(RiskFilter, st.sampled_from([0.0, 0.3, 0.6, 0.7]), GOALS))
async def test_sums_of_a_night_are_those_of_its_assessments(
    engine: AsyncEngine, assessed: list[Assessed], wanted: RiskFilter
) -> None:
    store, tenant_id = await kept(engine, assessed)

    summed = risk_sums([one.assessment for one in assessed if fits(one, wanted)])

    assert await store.sums(tenant_id, DAY, wanted) == summed


@few
@given(assessments())
async def test_a_nights_careers_are_those_of_its_assessments(engine: AsyncEngine, assessed: list[Assessed]) -> None:
    store, tenant_id = await kept(engine, assessed)

    found = {one.career_goal: one for one in await store.sums_by_goal(tenant_id, DAY, most_top=MOST_TOP)}

    summed = {one.career_goal: one for one in sums_by_goal(assessed, DAY)}
    assert set(found) == set(summed)
    for goal, sums in summed.items():
        # Floats added in another order differ in their last digits.
        assert found[goal].progress_sum == pytest.approx(sums.progress_sum)
        assert msgspec.structs.replace(found[goal], progress_sum=sums.progress_sum) == sums


@few
@given(assessments(), st.builds(RiskFilter, st.sampled_from([0.0, 0.3, 0.6]), GOALS), st.integers(1, 7))
async def test_a_nights_ranking_is_that_of_its_assessments(
    engine: AsyncEngine, assessed: list[Assessed], wanted: RiskFilter, most: int
) -> None:
    store, tenant_id = await kept(engine, assessed)

    of_memory = await in_parts(LiveRanking([one for one in assessed if fits(one, wanted)], DAY), most)

    assert await in_parts(KeptRanking(store, tenant_id, DAY, wanted), most) == of_memory


async def in_parts(ranking: Ranking, most: int) -> list[Assessed]:
    """All parts of a ranking, put together; a part that does not go on fails."""
    found = list(await ranking.part(None, most))
    while found and (part := await ranking.part(place_of(found[-1]), most)):
        assert found[-1] not in part
        found += part
    return found
