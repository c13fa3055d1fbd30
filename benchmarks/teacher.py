"""How long the teacher's view takes in a large school: made-up rows in a Postgres of its own.

    python -m benchmarks.teacher [--scale 1.0] [--plans]

At scale 1 there are 100,000 questions, 10,000 learners with 40 topics each, 250,000 submissions with a million answers.
Each figure is the median of five looks: by the clock, and of the processor in this process. `--plans` adds
what Postgres does for each statement.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.bootstrap import migrate
from pipeline.curriculum.model import Category, Curriculum, Module, Track
from pipeline.embedded import EmbeddedPostgres
from pipeline.learning.risk import first_recent_day
from pipeline.ports.analytics import ItemFilter, RiskFilter
from pipeline.service.access import Principal, Role
from pipeline.service.at_risk import AtRisk
from pipeline.service.careers import Careers
from pipeline.service.items import ItemOrder, Items
from pipeline.settings import Settings
from pipeline.store.engine import create_engine, transaction
from pipeline.store.first_attempt import FIRST_ATTEMPTS, UNASKED
from pipeline.store.group import GroupStore
from pipeline.store.item import SCAN, ItemStore
from pipeline.store.risk import FACTS, RiskStore
from pipeline.store.skill import SKILLS
from pipeline.store.standing import STANDINGS

TENANT: Final = 1
TOPICS: Final = 40
LOOKS: Final = 5
TEACHER: Final = Principal(TENANT, Role.TEACHER, "key:1")
PATIENCE_SECONDS: Final = 600.0

FILL: Final = (
    "INSERT INTO tenants (name, token_secret, callback_secret) VALUES ('school', 't', 'c')",
    """
    INSERT INTO questions (tenant_id, id, version, version_key)
    SELECT 1, 'q' || lpad(n::text, 6, '0'), 1, n FROM generate_series(1, :questions) n
    """,
    """
    INSERT INTO question_versions (tenant_id, question_key, version, body)
    SELECT 1, n, 1, jsonb_build_object('type', 'single_choice', 'prompt', 'Which one, ' || n || '?',
        'answer', '{"option": "a"}'::jsonb, 'options', '[{"id": "a", "text": "this"}, {"id": "b", "text": "that"},
        {"id": "c", "text": "or that"}, {"id": "d", "text": "neither"}]'::jsonb,
        'topics', jsonb_build_array('t' || n % 40), 'module', 'm' || n % 300, 'difficulty', 1 + n % 5)
    FROM generate_series(1, :questions) n
    """,
    "INSERT INTO learners (tenant_id, id) SELECT 1, 'u' || lpad(n::text, 6, '0') FROM generate_series(1, :learners) n",
    """
    INSERT INTO submissions (tenant_id, id, learner_id, status, version, career_goal, completed_at)
    SELECT 1, lpad(to_hex(n), 32, '0')::uuid, 'u' || lpad((1 + n % :learners)::text, 6, '0'), 'completed', 3,
        CASE WHEN n % 3 = 0 THEN 'path' END, now()
    FROM generate_series(1, :submissions) n
    """,
    """
    INSERT INTO answers (submission_id, position, tenant_id, version_key, response, response_time_ms)
    SELECT lpad(to_hex(n), 32, '0')::uuid, p, 1, 1 + (n * 7919::bigint + p * 104729) % :questions,
        to_jsonb(substr('aaabcd', 1 + (hashint8(n * 4 + p) & 1023) % 6, 1)), 1000 + (n + p) % 50000
    FROM generate_series(1, :submissions) n, generate_series(0, 3) p
    """,
    """
    INSERT INTO results (submission_id, stage, tenant_id, created_at, body)
    SELECT submission_id, 'score', 1, now() - interval '1 day',
        jsonb_build_object('points', 1, 'max_points', 4, 'fraction', 0.25, 'answers',
        jsonb_agg(jsonb_build_array(CASE WHEN response = '"a"' THEN 'correct' ELSE 'incorrect' END,
            CASE WHEN response = '"a"' THEN 1 ELSE 0 END, 1, 1, 'single_choice/1') ORDER BY position))
    FROM answers GROUP BY submission_id
    """,
    """
    INSERT INTO item_statistics (question_key, tenant_id, answers, scored, correct, fraction_millionths, timed,
        response_time_ms)
    SELECT version_key, 1, count(*), count(*), count(*) FILTER (WHERE response = '"a"'),
        1000000 * count(*) FILTER (WHERE response = '"a"'), count(*), sum(response_time_ms)
    FROM answers GROUP BY version_key
    """,
    """
    INSERT INTO learner_days (tenant_id, learner_id, day, submissions, answers, scored, correct, fraction_millionths,
        timed, response_time_ms)
    SELECT 1, id, current_date - (d * 3 + hashtext(id) % 11 + 11), 1, 4, 4, (hashtext(id) + d) & 3, 0, 0, 0
    FROM learners, generate_series(0, 24) d
    """,
    """
    INSERT INTO skills (tenant_id, learner_id, topic, rating, answers, correct, recent_errors, recent_answers,
        mistakes, stability, review_difficulty, due_at, updated_at)
    SELECT 1, id, 't' || t, (hashtext(id || t) % 300) / 100.0, 5 + t, t, t % 4, 4, '{0,1,0,0,0,1}', 12, 5, now(),
        now() - make_interval(days => t % 9)
    FROM learners, generate_series(0, :topics - 1) t
    """,
    "INSERT INTO learner_groups (tenant_id, id, name) VALUES (1, 'g1000', 'g'), (1, 'g5000', 'g')",
    """
    INSERT INTO learner_group_members (tenant_id, group_id, learner_id)
    SELECT 1, g.id, l.id FROM (VALUES ('g1000', 1000), ('g5000', 5000)) g(id, size)
    CROSS JOIN LATERAL (SELECT id FROM learners ORDER BY hashtext(id) LIMIT g.size) l
    """,
)

CURRICULUM: Final = Curriculum(
    categories={"path": Category("path", "Path", 18, ("track",))},
    tracks={"track": Track("track", "Track", tuple(f"m{n}" for n in range(TOPICS)))},
    modules={f"m{n}": Module(f"m{n}", f"Module {n}", 1 + n % 5, 5, topics=(f"t{n}",)) for n in range(TOPICS)},
    version=1,
)


class OneCurriculum:
    """Forty modules, whoever asks."""

    async def current(self, tenant_id: int) -> Curriculum:
        """The curriculum of this benchmark."""
        del tenant_id
        return CURRICULUM


async def fill(engine: AsyncEngine, scale: float) -> None:
    """Make the school up."""
    values = {
        "questions": int(100_000 * scale),
        "learners": int(10_000 * scale),
        "submissions": int(250_000 * scale),
        "topics": TOPICS,
    }
    for statement in FILL:
        async with transaction(engine, seconds=PATIENCE_SECONDS) as connection:
            await connection.execute(
                text(statement), {name: v for name, v in values.items() if f":{name}" in statement}
            )
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text("VACUUM ANALYZE"))


async def took(look: Callable[[], Awaitable[Any]], looks: int = LOOKS) -> tuple[float, float]:
    """The medians of some looks in milliseconds: by the clock, and of this process' processor."""
    times = []
    for _ in range(looks):
        began, busy = time.perf_counter(), time.process_time()
        await look()
        times.append((1000 * (time.perf_counter() - began), 1000 * (time.process_time() - busy)))
    return statistics.median(wall for wall, _ in times), statistics.median(own for _, own in times)


async def measure(engine: AsyncEngine) -> None:
    """Print how long each look takes."""
    for name, (look, looks) in looks_at(engine).items():
        wall, own = await took(look, looks)
        print(f"| {name} | {wall:,.0f} ms | {own:,.0f} ms |", flush=True)


def looks_at(engine: AsyncEngine) -> Mapping[str, tuple[Callable[[], Awaitable[Any]], int]]:
    """What is measured by its name, and how often; in this order, for the night writes what is read as of the night."""
    risks, groups, curricula = RiskStore(engine), GroupStore(engine), OneCurriculum()
    at_risk = AtRisk(risks, groups, curricula)
    careers, items = Careers(at_risk, risks, curricula), Items(ItemStore(engine))
    wanted, slot = RiskFilter(), datetime.now(UTC)

    async def night() -> None:
        after: str | None = None
        while (after := await at_risk.detect_at_risk(TENANT, slot, after=after, most=200)) is not None:
            pass

    async def standings() -> None:
        after: str | None = None
        while (after := await items.compare_learners(TENANT, slot, after=after, most=1_000)) is not None:
            pass

    def page(group: str | None) -> Callable[[], Awaitable[Any]]:
        return lambda: at_risk.page(TEACHER, group, wanted, cursor=None, limit=50)

    def listing(figure: str) -> Callable[[], Awaitable[Any]]:
        return lambda: items.page(TEACHER, ItemFilter(), ItemOrder(figure), cursor=None, limit=50)

    return {
        "at-risk, a group of 1,000, now": (page("g1000"), LOOKS),
        "at-risk, a group of 5,000, now": (page("g5000"), LOOKS),
        "careers, a group of 1,000, now": (lambda: careers.show(TEACHER, "g1000", "en"), LOOKS),
        "a night's assessment of everybody, in pieces of 200": (night, 1),
        "at-risk, everybody, as of the night": (page(None), LOOKS),
        "careers, everybody, as of the night": (lambda: careers.show(TEACHER, None, "en"), LOOKS),
        "where everybody stands, in pieces of 1,000": (standings, 1),
        "a night's piece of 5,000 questions": (
            lambda: items.analyse_items(TENANT, slot, after="q050000", most=5000),
            2,
        ),
        "one question, now": (lambda: items.one(TEACHER, "q000100"), LOOKS),
        "questions by id": (listing("question_id"), LOOKS),
        "questions by discrimination": (listing("discrimination"), LOOKS),
    }


async def explain(engine: AsyncEngine, statement: TextClause, *, scan: bool = False, **values: Any) -> None:
    """Print what Postgres does for a statement."""
    async with transaction(engine, seconds=PATIENCE_SECONDS) as connection:
        if scan:
            await connection.execute(SCAN)
        plan = await connection.execute(text(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {statement.text}"), values)
        print("\n".join(line for (line,) in plan), end="\n\n")


async def plans(engine: AsyncEngine) -> None:
    """Print the plans of the statements that matter."""
    today = datetime.now(UTC).date()
    members = await GroupStore(engine).members(TENANT, "g1000", after="", most=200)
    await explain(engine, FACTS, tenant_id=TENANT, ids=members, today=today, recent_from=first_recent_day(today))
    await explain(engine, SKILLS, tenant_id=TENANT, ids=members)
    await explain(engine, FIRST_ATTEMPTS, scan=True, tenant_id=TENANT, keys=list(range(1, 2001)), unasked=UNASKED)
    await explain(engine, STANDINGS, scan=True, tenant_id=TENANT, learner_ids=members, as_of=None)


async def run(url: str, scale: float, *, with_plans: bool) -> None:
    await migrate(Settings(database_url=url))
    engine = create_engine(url, pool_size=2)
    began = time.perf_counter()
    await fill(engine, scale)
    print(f"made up in {time.perf_counter() - began:.0f} s", flush=True)
    await measure(engine)
    if with_plans:
        await plans(engine)
    await engine.dispose()


def main() -> None:
    """Measure in a Postgres that is thrown away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--plans", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder)) as server, suppress(KeyboardInterrupt):
        asyncio.run(run(server.url, given.scale, with_plans=given.plans))


if __name__ == "__main__":
    main()
