"""Erasing a learner: nothing is left, nothing comes back, and nobody else loses anything."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.bootstrap import build_board, build_runner
from pipeline.execution import Shop
from pipeline.lifecycle import Stage, Status
from pipeline.live.board import submission_key
from pipeline.model import Change, Claim
from pipeline.ports import WorkStore
from pipeline.settings import Settings
from pipeline.store.engine import as_json, create_engine, transaction
from pipeline.store.schema import metadata
from tests.api.installation import Installation, question

OF_LEARNER = ("learners", "submissions", "answers", "stages", "attempts", "results", "skills", "learner_days")
WRITTEN_BY_MODELS = (
    "feedback_backgrounds",
    "feedback_assignments",
    "feedback_ratings",
    "feedback_improvements",
    "llm_replies",
    "llm_batch_items",
)
ANONYMOUS = ("item_statistics", "item_ratings", "stage_minutes")
KEPT_OF_ERASED = ("kept_item_steps", "kept_item_statistics")
"""What learners who are gone did to questions: tests/integration/test_rebuilding.py."""
REPORTS = {"learner_reports"}
"""Weeks of a learner: tests/api/test_reports.py."""
DECISIONS = {"settlements"}
"""What people decided on a learner's answers: tests/integration/test_settling.py."""
OF_DELIVERY = ("deliveries", "delivery_tries")
OF_NO_LEARNER = {
    *("tenants", "api_keys", "audit_log", "webhooks", "questions", "question_versions", "workers", "stage_pauses"),
    *(
        "llm_policies",
        "llm_served",
        "llm_batches",
        "generations",
        "curriculum_entries",
        "question_search",
    ),
}
PLACES = {"periodic_runs"}
"""How far a run got names the last learner it came to."""
OF_TEACHERS_VIEW = {
    *("learner_groups", "learner_group_members", "risk_assessments", "risk_nights"),
    *("item_analyses", "learner_standings"),
}
"""tests/api/test_groups.py and tests/integration/test_item_analysis.py."""
MONEY = {"llm_attempts", "llm_budgets"}
"""What is spent stays, without the learner's name: tests/integration/test_erased_money.py."""

WRITE_BY_MODELS = [
    "INSERT INTO feedback_backgrounds (submission_id, tenant_id, picture) SELECT id, tenant_id, '{}' FROM submissions",
    (
        "INSERT INTO feedback_assignments (tenant_id, submission_id, question_id, experiment, arm, source)"
        " SELECT tenant_id, id, 'q1', 'tone', 'warm', 'template' FROM submissions"
    ),
    (
        "INSERT INTO feedback_ratings (tenant_id, submission_id, question_id, learner_id, rating)"
        " SELECT tenant_id, id, 'q1', learner_id, 5 FROM submissions"
    ),
    (
        "INSERT INTO feedback_improvements (submission_id, tenant_id, available_at, give_up_at)"
        " SELECT id, tenant_id, now(), now() FROM submissions"
    ),
    (
        "INSERT INTO llm_replies (tenant_id, key, state, token, asker_id, submission_id, text, provider, model,"
        " prompt_version, answered_at)"
        " SELECT tenant_id, uuid_send(id), 'answered', gen_random_uuid(), id, id, '{}', 'p',"
        " 'm', 'v', now() FROM submissions"
    ),
    (
        "INSERT INTO llm_batch_items (custom_id, tenant_id, key, submission_id, prompt, route, state, deadline_at)"
        " SELECT id::text, tenant_id, uuid_send(id), id, '{}', 'p/m', 'waiting', now() FROM submissions"
    ),
    (
        "INSERT INTO llm_attempts (id, tenant_id, learner_id, submission_id, purpose, provider, model, account,"
        " prompt_version, state, estimate)"
        " SELECT id, tenant_id, learner_id, id, 'feedback', 'p', 'm', 'a', 'v', 'open', 5 FROM submissions"
    ),
    (
        "INSERT INTO llm_budgets (tenant_id, learner_id, day, spent)"
        " SELECT DISTINCT tenant_id, unnest(ARRAY['', learner_id]), current_date, 10 FROM submissions"
    ),
]

AGREEMENT = """
    SELECT s.learner_id, count(*) AS submissions,
        (SELECT sum(k.answers) FROM skills k WHERE k.learner_id = s.learner_id) AS taught,
        (SELECT sum(d.submissions) FROM learner_days d WHERE d.learner_id = s.learner_id) AS counted
    FROM submissions s GROUP BY s.learner_id ORDER BY s.learner_id
"""


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(str(settings.database_url), pool_size=2)
    yield engine
    await engine.dispose()


async def rows_in(engine: AsyncEngine, tables: tuple[str, ...]) -> dict[str, int]:
    async with transaction(engine) as connection:
        return {
            table: (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() for table in tables
        }


async def run(engine: AsyncEngine, statement: str, **values: Any) -> list[Any]:
    async with transaction(engine) as connection:
        result = await connection.execute(text(statement), values)
        return list(result) if result.returns_rows else []


async def handed_in(installation: Installation, learner_id: str) -> str:
    teacher = installation.caller()
    await teacher.put("/v1/questions/q1", question("q1"))
    return await teacher.hand_in(learner_id, {"q1": "b"}, callback_url="https://example.org/hook")


async def test_nothing_is_left_of_an_erased_learner(installation: Installation, engine: AsyncEngine) -> None:
    teacher = installation.caller()
    done = await handed_in(installation, "ada")
    await installation.run([done])
    await handed_in(installation, "ada")
    await run(
        engine,
        "INSERT INTO delivery_tries (delivery_id, tenant_id, epoch, duration_ms)"
        " SELECT id, tenant_id, 1, 5 FROM deliveries",
    )
    await run(
        engine,
        "INSERT INTO attempts (tenant_id, submission_id, stage, attempt, epoch, ended, error)"
        " SELECT tenant_id, id, 'score', 1, 9, 'failed', 'ValueError' FROM submissions",
    )
    before = await rows_in(engine, OF_LEARNER + OF_DELIVERY)
    assert all(before.values()), before
    assert (await teacher.delete("/v1/learners/ada")).status_code == 204
    after = await rows_in(engine, OF_LEARNER + OF_DELIVERY)
    assert not any(after.values()), after
    for path in (f"/v1/submissions/{done}", "/v1/learners/ada/skills", "/v1/learners/ada/export"):
        assert (await teacher.get(path)).status_code == 404
    assert (await teacher.delete("/v1/learners/ada")).status_code == 404


async def test_nothing_is_left_of_what_models_wrote_for_an_erased_learner(
    installation: Installation, engine: AsyncEngine
) -> None:
    """What was spent stays, and nobody can say on whom; what is another learner's stays as it was."""
    for learner_id in ("ada", "ada", "bob"):
        await handed_in(installation, learner_id)
    for statement in WRITE_BY_MODELS:
        await run(engine, statement)
    assert set((await rows_in(engine, WRITTEN_BY_MODELS)).values()) == {3}
    assert (await installation.caller().delete("/v1/learners/ada")).status_code == 204
    assert set((await rows_in(engine, WRITTEN_BY_MODELS)).values()) == {1}
    spenders = await run(engine, "SELECT learner_id, submission_id IS NULL AS erased FROM llm_attempts ORDER BY 1")
    assert [tuple(row) for row in spenders] == [("bob", False), (None, True), (None, True)]
    budgets = await run(engine, "SELECT learner_id, spent FROM llm_budgets ORDER BY learner_id")
    assert [tuple(row) for row in budgets] == [("", 10), ("bob", 10)]


@pytest.mark.parametrize(
    "at", [{"tenant_id": 1, "after": "ada"}, {"step": "reports", "at": [1, "ada", "2026-11-16"]}, ["ada"]]
)
async def test_a_periodic_run_that_rests_behind_an_erased_learner_begins_anew(
    installation: Installation, engine: AsyncEngine, at: object
) -> None:
    await handed_in(installation, "ada")
    for job, place in (("a", at), ("b", {"tenant_id": 1, "after": "adam"})):
        await run(
            engine,
            "INSERT INTO periodic_runs (job, slot, state, finished_at, progress)"
            " VALUES (:job, now(), 'failed', now(), CAST(:progress AS jsonb))",
            job=job,
            progress=as_json({"pieces": 3, "at": place}),
        )
    assert (await installation.caller().delete("/v1/learners/ada")).status_code == 204
    kept = [row.progress for row in await run(engine, "SELECT progress FROM periodic_runs ORDER BY job")]
    assert kept == [{"pieces": 3}, {"pieces": 3, "at": {"tenant_id": 1, "after": "adam"}}]


def test_of_every_table_it_is_decided_what_an_erasure_does_to_it() -> None:
    of_learner = {*OF_LEARNER, *WRITTEN_BY_MODELS, *OF_DELIVERY, *OF_TEACHERS_VIEW, *REPORTS, *DECISIONS}
    decided = {*of_learner, *ANONYMOUS, *KEPT_OF_ERASED, *OF_NO_LEARNER, *PLACES, *MONEY}
    assert {table.name for table in metadata.sorted_tables} == decided


async def test_others_and_anonymous_sums_stay(installation: Installation, engine: AsyncEngine) -> None:
    ids = [await handed_in(installation, "ada"), await handed_in(installation, "bob")]
    await installation.run(ids)
    before = await rows_in(engine, ANONYMOUS)
    assert all(before.values()), before
    counted = await run(engine, "SELECT answers FROM item_statistics")
    await installation.caller().delete("/v1/learners/ada")
    assert await rows_in(engine, ANONYMOUS) == before
    assert await run(engine, "SELECT answers FROM item_statistics") == counted
    assert (await installation.caller().get("/v1/learners/bob/skills")).json()["items"] != []
    assert (await installation.caller().get(f"/v1/submissions/{ids[1]}")).json()["status"] == "completed"


async def test_the_audit_log_keeps_a_hash_of_the_learner_and_who_erased(
    installation: Installation, engine: AsyncEngine
) -> None:
    await handed_in(installation, "ada")
    await installation.caller().delete("/v1/learners/ada")
    entries = await run(engine, "SELECT action, actor, reason, target FROM audit_log")
    assert [(entry.action, entry.reason, entry.target) for entry in entries] == [
        ("learner.erase", None, {"learner_sha256": hashlib.sha256(b"ada").hexdigest()})
    ]
    assert entries[0].actor.startswith("key:")


class ErasedAfterClaim:
    """A work store in front of the real one: between a claim and the work on it, something happens."""

    def __init__(self, store: WorkStore, happens: Callable[[], Awaitable[object]]) -> None:
        self._store = store
        self._happens = happens
        self.load = store.load
        self.unit = store.unit

    async def claim(
        self, stage: Stage, ids: Sequence[str], worker_id: str, lease_seconds: float, *, solo: bool = False
    ) -> tuple[list[Claim], list[Change]]:
        claimed = await self._store.claim(stage, ids, worker_id, lease_seconds, solo=solo)
        await self._happens()
        return claimed


async def run_while_ada_is_erased(installation: Installation, stage: Stage, ids: Sequence[str]) -> None:
    """Run one stage of these; once it is claimed and before it is worked on, Ada is erased."""

    async def erase() -> None:
        assert (await installation.caller().delete("/v1/learners/ada")).status_code == 204

    shop = installation.worker.shop
    stand_in = Shop(
        worker_id=shop.worker_id,
        store=ErasedAfterClaim(shop.store, erase),
        bell=shop.bell,
        board=shop.board,
        policy=shop.policy,
        lease_seconds=shop.lease_seconds,
        batch=shop.batch,
    )
    await build_runner(stage, stand_in, (stage,)).ring(ids)


@pytest.mark.parametrize("stage", list(Stage))
async def test_work_under_way_cannot_bring_back_what_was_erased(
    installation: Installation, engine: AsyncEngine, stage: Stage
) -> None:
    """Whichever stage it is: nothing of the learner returns, and nothing is counted."""
    submission = await handed_in(installation, "ada")
    await installation.run([submission], list(Stage)[: list(Stage).index(stage)])
    assert await run(engine, "SELECT FROM stages WHERE stage = :stage AND state = 'ready'", stage=stage)
    sums = await rows_in(engine, ANONYMOUS)
    await run_while_ada_is_erased(installation, stage, [submission])
    assert not any((await rows_in(engine, OF_LEARNER + OF_DELIVERY)).values())
    assert await rows_in(engine, ANONYMOUS) == sums


async def test_neighbours_of_an_erased_submission_go_on(installation: Installation) -> None:
    """Feedback is prepared for a whole batch; one that is gone by then must not hold up the others."""
    ids = [await handed_in(installation, "ada"), await handed_in(installation, "bob")]
    await installation.run(ids, [Stage.SCORE, Stage.RECOMMEND])
    await run_while_ada_is_erased(installation, Stage.FEEDBACK, ids)
    await installation.run([ids[1]], [Stage.METRICS])
    assert (await installation.caller().get(f"/v1/submissions/{ids[1]}")).json()["status"] == "completed"


async def test_redis_forgets_and_takes_nothing_back(installation: Installation) -> None:
    """A status or a document that comes late, from before the erasure, is refused."""
    redis = installation.worker.servers.redis
    board = build_board(installation.worker.settings, installation.worker.servers)
    submission = await handed_in(installation, "ada")
    await installation.run([submission])
    key = submission_key(submission)
    assert await redis.hget(key, "status") == b"completed"
    await installation.caller().delete("/v1/learners/ada")
    late = Change(submission, 1, 99, Status.COMPLETED)
    await board.publish([late])
    await board.remember(submission, late.tenant_id, late.version, late.status, b'{"learner_id": "ada"}')
    assert await board.look(submission) is None
    assert await redis.hkeys(key) == [b"version"]


async def test_a_learner_may_begin_anew(installation: Installation) -> None:
    await installation.run([await handed_in(installation, "ada")])
    await installation.caller().delete("/v1/learners/ada")
    await installation.run([await handed_in(installation, "ada")])
    skill = (await installation.caller().get("/v1/learners/ada/skills")).json()["items"][0]
    assert (skill["answers"], skill["correct"]) == (1, 0)


async def test_a_hand_in_accepted_during_the_erasure_still_teaches(
    installation: Installation, engine: AsyncEngine
) -> None:
    """It found the learner's row there, which then was erased: the row comes back with its first lesson."""
    submission = await handed_in(installation, "ada")
    await run(engine, "DELETE FROM learners")
    await installation.run([submission])
    assert await run(engine, "SELECT id, cardinality(recent_correct) FROM learners") == [("ada", 0)]
    assert (await installation.caller().get("/v1/learners/ada/skills")).json()["items"][0]["answers"] == 1


async def test_erasures_amid_work_leave_nothing_by_halves(installation: Installation, engine: AsyncEngine) -> None:
    """Ada is erased twice while she and Bob hand in and workers run: what is left of her agrees with itself."""
    teacher = installation.caller()
    ids = [await handed_in(installation, learner) for learner in ("ada", "bob") * 10]

    async def go_on_handing_in() -> None:
        for _ in range(15):
            ids.append(await handed_in(installation, "ada"))  # noqa: PERF401 - the workers see each at once

    async def work() -> None:
        for _ in range(5):
            await installation.run(list(ids))

    async def erase() -> int:
        return (await teacher.delete("/v1/learners/ada")).status_code

    _, _, _, first, second = await asyncio.gather(go_on_handing_in(), work(), work(), erase(), erase())
    assert {first, second} <= {204, 404}
    await installation.run(ids)
    left = await run(engine, AGREEMENT)
    ada, bob = left if len(left) == 2 else (None, left[0])  # she may have nothing left at all
    assert tuple(bob) == ("bob", 10, 10, 10)
    assert ada is None or (ada.learner_id == "ada" and ada.submissions == ada.taught == ada.counted)
    orphans = {
        table: await run(engine, f"SELECT FROM {table} WHERE submission_id NOT IN (SELECT id FROM submissions)")
        for table in ("answers", "stages", "attempts", "results", "deliveries")
    }
    assert not any(orphans.values()), orphans
