"""Who is at risk, from rows on real Postgres: those built to be are found, and a night is remembered."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Final

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils import uuid7

from pipeline.curriculum.model import Category, Curriculum, Module, Track
from pipeline.errors import Conflict, NotFound
from pipeline.learning.risk import FactorBasis, Sign
from pipeline.ports.analytics import AT_RISK_JOB, Assessed, RiskFilter
from pipeline.ports.periodic import JobPlan, NewRun
from pipeline.schedule import read_schedule
from pipeline.service import at_risk
from pipeline.service.access import Principal, Role
from pipeline.service.at_risk import AtRisk
from pipeline.service.careers import Careers, sums_by_goal
from pipeline.service.periodic import PeriodicJob, PeriodicWorker, for_each_tenant
from pipeline.service.ranking import Basis
from pipeline.stages.verdict import RetryPolicy
from pipeline.store.engine import create_engine, transaction
from pipeline.store.expiry import ExpiryStore
from pipeline.store.group import GroupStore
from pipeline.store.periodic import PeriodicStore
from pipeline.store.risk import RiskStore
from tests.samples import new_tenant
from tests.schoolroom import Day, KnownTopic, aim, live_through, teach

NOW: Final = datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC)
"""The moment at which everybody is looked at: the last second of a day, the first of a month, a Sunday."""
TODAY: Final = NOW.date()
EVERYBODY: Final = RiskFilter()
NIGHTLY: Final = read_schedule("X", "0 3 * * *")
AT_ONCE: Final = RetryPolicy(max_attempts=1, base_seconds=0.0, cap_seconds=0.0)
"""Given up at the first failure."""
CURRICULUM: Final = Curriculum(
    categories={"dev": Category("dev", "Development", 18, ("basics",), translations={"ko": {"title": "개발"}})},
    tracks={"basics": Track("basics", "Basics", tuple(f"m{n}" for n in range(5)))},
    modules={f"m{n}": Module(f"m{n}", f"Module {n}", difficulty=1, hours=5, topics=(f"t{n}",)) for n in range(5)},
    version=1,
)


class OneCurriculum:
    """Every tenant teaches this."""

    async def current(self, tenant_id: int) -> Curriculum:  # noqa: ARG002 - the same for all
        return CURRICULUM


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url, pool_size=2)
    yield engine
    await engine.dispose()


@pytest.fixture
async def tenant_id(engine: AsyncEngine) -> int:
    return await new_tenant(engine)


def service(engine: AsyncEngine, clock: Callable[[], datetime] = lambda: NOW) -> AtRisk:
    return AtRisk(RiskStore(engine), GroupStore(engine), OneCurriculum(), clock=clock)


def a_second_later_each_time(first: datetime) -> Callable[[], datetime]:
    seconds = count()
    return lambda: first + timedelta(seconds=next(seconds))


def teacher(tenant_id: int) -> Principal:
    return Principal(tenant_id, Role.TEACHER, "key:1")


def days_ago(days: int) -> date:
    return TODAY - timedelta(days=days)


async def furnish(engine: AsyncEngine, tenant_id: int) -> None:
    """Ada does well; Bob guesses and left; Cyd left; Dan struggles everywhere; Eve joined the group and never came."""
    await live_through(
        engine,
        tenant_id,
        [
            *(Day("ada", days_ago(n), 10, 9) for n in range(5)),
            *(Day("bob", days_ago(n), 10, 3) for n in range(9, 12)),
            Day("cyd", days_ago(20), 10, 9),
            Day("dan", days_ago(1), 20, 4),
            Day("dan", days_ago(60), 900, 900),
        ],
    )
    await teach(
        engine,
        tenant_id,
        [
            *(KnownTopic("ada", f"t{n}", 5.0, 40) for n in range(5)),
            *(KnownTopic("bob", f"t{n}", 5.0, 40) for n in range(2)),
            *(KnownTopic("dan", f"weak{n}", -1.0, 10, errors=3.0) for n in range(6)),
        ],
        at=NOW,
    )
    await aim(engine, tenant_id, {"ada": "dev", "bob": "dev", "dan": "dev", "cyd": "astronaut"})


async def ranked(engine: AsyncEngine, tenant_id: int, wanted: RiskFilter = EVERYBODY) -> list[Assessed]:
    page = await service(engine).page(teacher(tenant_id), None, wanted, cursor=None, limit=100)
    assert page.next is None
    return list(page.assessed)


async def test_learners_built_to_be_at_risk_are_found(engine: AsyncEngine, tenant_id: int) -> None:
    await furnish(engine, tenant_id)
    found = {one.learner_id: one.assessment for one in await ranked(engine, tenant_id)}
    assert {id_: assessment.score for id_, assessment in found.items()} == {
        "bob": 0.7,  # three in ten right, nine days away, two of five modules mastered
        "dan": 0.6,  # four in twenty lately whatever was before, nothing mastered, six weaknesses
        "cyd": 0.4,  # away; the goal is no path, so completion says nothing
        "ada": 0.0,
    }
    assert [id_ for id_, assessment in found.items() if assessment.flagged] == ["bob", "dan"]
    values = {id_: [factor.value for factor in assessment.factors] for id_, assessment in found.items()}
    assert values["bob"] == [0.3, 9, 0.4, 0]
    assert values["dan"] == [0.2, 1, 0.0, 6]
    assert values["cyd"] == [0.9, 20, None, 0]
    assert found["cyd"].factors[2].basis is FactorBasis.NO_PATH


async def test_a_filter_by_score_and_path_narrows(engine: AsyncEngine, tenant_id: int) -> None:
    await furnish(engine, tenant_id)
    assert [one.learner_id for one in await ranked(engine, tenant_id, RiskFilter(0.6))] == ["bob", "dan"]
    of_path = RiskFilter(career_goal="dev")
    assert [one.learner_id for one in await ranked(engine, tenant_id, of_path)] == ["bob", "dan", "ada"]


async def test_a_group_shows_its_members_and_also_those_who_never_came(engine: AsyncEngine, tenant_id: int) -> None:
    await furnish(engine, tenant_id)
    store = GroupStore(engine)
    await store.put(tenant_id, "g", "Group", most=10)
    await store.add(tenant_id, "g", ["ada", "bob", "eve"], replace=False, most=10)
    page = await service(engine).page(teacher(tenant_id), "g", EVERYBODY, cursor=None, limit=100)
    assert [(one.learner_id, one.assessment.score) for one in page.assessed] == [
        ("bob", 0.7),
        ("eve", 0.4),
        ("ada", 0.0),
    ]
    assert page.assessed[1].assessment.factors[1].basis is FactorBasis.NEVER
    with pytest.raises(NotFound):
        await service(engine).page(teacher(tenant_id), "nowhere", EVERYBODY, cursor=None, limit=100)


async def test_parts_of_the_ranking_follow_each_other(engine: AsyncEngine, tenant_id: int) -> None:
    await furnish(engine, tenant_id)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = await service(engine).page(teacher(tenant_id), None, EVERYBODY, cursor=cursor, limit=1)
        seen += [one.learner_id for one in page.assessed]
        cursor = page.next
        if cursor is None:
            break
    assert seen == ["bob", "dan", "cyd", "ada"]


async def detect_all(engine: AsyncEngine, tenant_id: int, day: date, most: int = 3) -> int:
    """Assess everybody as of `day`, piece by piece; answers in how many pieces."""
    slot, pieces, after = datetime(day.year, day.month, day.day, 2, tzinfo=UTC), 1, None
    while (after := await service(engine).detect_at_risk(tenant_id, slot, after=after, most=most)) is not None:
        pieces += 1
    return pieces


async def rows(engine: AsyncEngine) -> list[tuple[object, ...]]:
    query = "SELECT learner_id, day, score, body::text FROM risk_assessments ORDER BY 1, 2"
    async with transaction(engine) as connection:
        return [tuple(row) for row in await connection.execute(text(query))]


async def test_detection_keeps_what_the_ranking_shows_and_may_be_repeated(engine: AsyncEngine, tenant_id: int) -> None:
    await furnish(engine, tenant_id)
    assert await detect_all(engine, tenant_id, TODAY) == 2
    first = await rows(engine)
    await detect_all(engine, tenant_id, TODAY, most=1)
    assert await rows(engine) == first
    kept = await RiskStore(engine).kept(tenant_id, TODAY, EVERYBODY, after=None, most=100)
    assert kept == await ranked(engine, tenant_id)


async def test_a_day_that_is_over_is_assessed_by_what_was_handed_in_until_then(
    engine: AsyncEngine, tenant_id: int
) -> None:
    await furnish(engine, tenant_id)
    await detect_all(engine, tenant_id, days_ago(9))
    kept = {
        one.learner_id: one
        for one in await RiskStore(engine).kept(tenant_id, days_ago(9), EVERYBODY, after=None, most=9)
    }
    inactivity = {id_: one.assessment.factors[1].value for id_, one in kept.items()}
    assert inactivity == {"ada": None, "bob": 0, "cyd": 11, "dan": 51}


async def test_the_trend_is_the_score_of_a_week_ago(engine: AsyncEngine, tenant_id: int) -> None:
    await furnish(engine, tenant_id)
    for day in (days_ago(11), days_ago(9), days_ago(8), days_ago(6)):
        await detect_all(engine, tenant_id, day)
    page = await service(engine).page(teacher(tenant_id), None, EVERYBODY, cursor=None, limit=100)
    assert {past.day for past in page.week_ago.values()} == {days_ago(8)}
    assert set(page.week_ago) == {"ada", "bob", "cyd", "dan"}


async def test_a_large_tenant_is_shown_as_of_last_night(
    engine: AsyncEngine, tenant_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await furnish(engine, tenant_id)
    monkeypatch.setattr(at_risk, "MOST_LIVE", 3)
    with pytest.raises(Conflict):
        await service(engine).page(teacher(tenant_id), None, EVERYBODY, cursor=None, limit=2)
    await detect_all(engine, tenant_id, days_ago(1))
    page = await service(engine).page(teacher(tenant_id), None, EVERYBODY, cursor=None, limit=2)
    assert (page.basis, page.day) == (Basis.NIGHT, days_ago(1))
    more = await service(engine).page(teacher(tenant_id), None, EVERYBODY, cursor=page.next, limit=2)
    assert [one.learner_id for one in (*page.assessed, *more.assessed)] == ["bob", "dan", "cyd", "ada"]
    parts = [part async for part in service(engine).pages(teacher(tenant_id), None, RiskFilter(0.6, "dev"))]
    assert [one.learner_id for part in parts for one in part.assessed] == ["bob", "dan"]


async def test_a_night_that_is_not_complete_for_a_tenant_is_not_shown(engine: AsyncEngine, tenant_id: int) -> None:
    """Its ranking would leave out whoever the run has not come to, and its sums count a part as all."""
    await furnish(engine, tenant_id)
    await detect_all(engine, tenant_id, days_ago(2))
    at_night = datetime.combine(days_ago(1), datetime.min.time(), UTC) + timedelta(hours=3)
    after = await service(engine).detect_at_risk(tenant_id, at_night, after=None, most=2)
    assert await RiskStore(engine).latest_day(tenant_id) == days_ago(2)
    while after is not None:
        after = await service(engine).detect_at_risk(tenant_id, at_night, after=after, most=2)
    assert await RiskStore(engine).latest_day(tenant_id) == days_ago(1)


async def test_a_night_that_failed_for_good_at_one_tenant_is_shown_to_the_others_alone(
    engine: AsyncEngine, tenant_id: int
) -> None:
    """Where one tenant's part is left out, that tenant's readers keep the last complete night."""
    other = await new_tenant(engine, "academy")
    for tenant in (tenant_id, other):
        await furnish(engine, tenant)
        await detect_all(engine, tenant, days_ago(2))
    detecting = FailingBehind(service(engine), tenant_id, "bob")
    night = datetime.combine(days_ago(1), datetime.min.time(), UTC)
    periodic = PeriodicStore(engine)
    await periodic.plan(lambda *_: [NewRun(AT_RISK_JOB, night)])
    tenants = ExpiryStore(engine, reports_seconds=1.0, risks_seconds=1.0, runs_seconds=1.0)
    job = PeriodicJob(JobPlan(AT_RISK_JOB, NIGHTLY), for_each_tenant(tenants.next_tenant, detecting.step, most=2))
    await PeriodicWorker(periodic, [job], worker_id=str(uuid7()), policy=AT_ONCE).work(asyncio.Event())
    store = RiskStore(engine)
    assert await store.kept(tenant_id, days_ago(1), EVERYBODY, after=None, most=9), "or nothing was left half done"
    assert (await store.latest_day(tenant_id), await store.latest_day(other)) == (days_ago(2), days_ago(1))


class FailingBehind:
    """The step of `detect_at_risk`, but for one tenant's learners behind one of them."""

    def __init__(self, service: AtRisk, tenant_id: int, learner_id: str) -> None:
        self._service = service
        self._failing = (tenant_id, learner_id)

    async def step(self, tenant_id: int, slot: datetime, *, after: str | None, most: int) -> str | None:
        if (tenant_id, after) == self._failing:
            raise ValueError
        return await self._service.detect_at_risk(tenant_id, slot, after=after, most=most)


async def test_a_nights_sums_equal_those_of_now(engine: AsyncEngine, tenant_id: int) -> None:
    await furnish(engine, tenant_id)
    await detect_all(engine, tenant_id, TODAY)
    for wanted, learners in ((EVERYBODY, 4), (RiskFilter(career_goal="dev"), 3)):
        now = await service(engine).overview(teacher(tenant_id), None, wanted, cursor=None, limit=10)
        night = await RiskStore(engine).sums(tenant_id, TODAY, wanted)
        assert now.sums == night
        assert (night.learners, night.flagged) == (learners, 2)


async def test_a_learner_erased_during_the_night_is_not_brought_back(engine: AsyncEngine, tenant_id: int) -> None:
    await furnish(engine, tenant_id)
    assessed = await service(engine).assessed(tenant_id, ["ada", "bob"], TODAY)
    async with transaction(engine) as connection:
        await connection.execute(text("DELETE FROM learners WHERE id = 'ada'"))
    await RiskStore(engine).save(tenant_id, TODAY, assessed)
    assert [row[0] for row in await rows(engine)] == ["bob"]


async def test_careers_count_learners_progress_and_activity(engine: AsyncEngine, tenant_id: int) -> None:
    await furnish(engine, tenant_id)
    careers = Careers(service(engine), RiskStore(engine), OneCurriculum())
    found = await careers.show(teacher(tenant_id), None, "ko")
    development, astronaut = found.careers
    assert (development.category, development.title, development.known) == ("dev", "개발", True)
    assert (development.learners, development.share, development.measured) == (3, 0.75, 3)
    assert development.mean_progress == pytest.approx((1 + 0.4 + 0) / 3, abs=1e-4)
    assert (development.completed, development.completion_rate) == (1, 0.3333)
    assert development.progress_fifths == (1, 0, 1, 0, 1)
    assert [(top.learner_id, top.progress) for top in development.top] == [("ada", 1.0), ("bob", 0.4)]
    assert (development.active_7_days, development.active_28_days) == (2, 3)
    assert (astronaut.category, astronaut.known, astronaut.mean_progress, astronaut.measured) == (
        "astronaut",
        False,
        None,
        0,
    )


async def test_what_is_asked_for_at_midnight_is_of_the_day_it_was_asked_on(engine: AsyncEngine, tenant_id: int) -> None:
    await furnish(engine, tenant_id)
    page = await service(engine, a_second_later_each_time(NOW)).page(
        teacher(tenant_id), None, RiskFilter(0.6), cursor=None, limit=100
    )
    assert (page.day, [one.learner_id for one in page.assessed]) == (TODAY, ["bob", "dan"])
    at_midnight = service(engine, a_second_later_each_time(NOW))
    careers = await Careers(at_midnight, RiskStore(engine), OneCurriculum()).show(teacher(tenant_id), None, "en")
    assert (careers.day, careers.careers[0].active_28_days) == (TODAY, 3)


async def test_a_nights_careers_equal_those_summed_up_in_python(engine: AsyncEngine, tenant_id: int) -> None:
    await furnish(engine, tenant_id)
    await live_through(engine, tenant_id, [Day(f"u{n}", days_ago(n), 5, 2) for n in range(40)])
    await teach(
        engine,
        tenant_id,
        [KnownTopic(f"u{n}", f"t{t}", 5.0, 40) for n in range(40) for t in range(n % 6 % 5 + 1)],
        at=NOW,
    )
    await aim(engine, tenant_id, {f"u{n}": "dev" for n in range(0, 40, 2)})
    await detect_all(engine, tenant_id, TODAY, most=100)
    kept = {one.career_goal: one for one in await RiskStore(engine).sums_by_goal(tenant_id, TODAY, most_top=5)}
    summed = {one.career_goal: one for one in sums_by_goal(await ranked(engine, tenant_id), TODAY)}
    assert set(kept) == set(summed) == {"dev", "astronaut", None}
    for goal, sums in summed.items():
        assert kept[goal].progress_sum == pytest.approx(sums.progress_sum)
        assert msgspec.structs.replace(kept[goal], progress_sum=sums.progress_sum) == sums


def test_signs_are_shown_in_one_order() -> None:
    """The tables of CSV and pages rely on it."""
    assert list(Sign) == [Sign.ACCURACY, Sign.INACTIVITY, Sign.COMPLETION, Sign.WEAKNESSES]
