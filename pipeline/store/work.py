"""Handing out work and taking it back: claims, and one transaction for a batch of a stage."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any, Final

import msgspec
from psycopg.errors import LockNotAvailable
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from pipeline.errors import Contended, Unavailable
from pipeline.learning.metrics import Increments
from pipeline.learning.rating import ItemSteps
from pipeline.lifecycle import Stage, Status
from pipeline.model import (
    Answer,
    AnswerScore,
    Change,
    Claim,
    Held,
    LearnerContext,
    Recorded,
    StageTiming,
    StoredQuestion,
    Work,
)
from pipeline.stages.recommend import Learned, LearningState
from pipeline.stages.run import Run
from pipeline.stages.score import scores_in
from pipeline.store.candidates import Banks, TenantBank
from pipeline.store.engine import as_json, transaction
from pipeline.store.fence import lock
from pipeline.store.learning import add_metrics, save_learning
from pipeline.store.locking import lock_learning
from pipeline.store.packing import unpacked
from pipeline.store.question import QuestionVersions
from pipeline.store.round_trip import ask
from pipeline.store.writing import pending_write, write

# A stage whose earlier holder died is handed out only by a ring that asks for such, so that one that kills
# its worker runs alone and takes nobody along.
#
# A claim need not outlive a crash of Postgres: a lost one leaves its stage ready, and the fence names the
# worker as well as the epoch, so a forgotten claim can't write. Hence no wait for the disk (`relaxed`).
#
# LATERAL, ctid and IS NOT DISTINCT FROM hold the planner to the primary key. A queue's statistics are always out of
# date; left to them, it walks all that is ready, 50 times as long already with a backlog of some thousands.
CLAIM = text(
    """
    WITH relaxed AS (
        SELECT set_config('synchronous_commit', 'off', true) AS commit
    ), due AS (
        SELECT ready.place
        FROM unnest(CAST(:ids AS uuid[])) AS i(id)
        CROSS JOIN LATERAL (
            SELECT t.ctid AS place FROM stages t
            WHERE t.submission_id = i.id AND t.stage = :stage AND t.state IS NOT DISTINCT FROM 'ready'
              AND t.available_at <= clock_timestamp() AND t.solo = :solo
            FOR UPDATE SKIP LOCKED
        ) AS ready
        WHERE (SELECT commit FROM relaxed) = 'off'
          AND NOT EXISTS (SELECT FROM stage_pauses p WHERE p.stage = :stage)
    ), claimed AS (
        UPDATE stages t
        SET state = 'running', epoch = t.epoch + 1, attempts = t.attempts + 1, worker_id = CAST(:worker AS uuid),
            available_at = NULL, started_at = clock_timestamp(),
            lease_expires_at = clock_timestamp() + make_interval(secs => :lease_seconds)
        WHERE t.ctid = ANY (ARRAY(SELECT place FROM due)) AND t.state IS NOT DISTINCT FROM 'ready'
        RETURNING t.submission_id, t.tenant_id, t.epoch, t.attempts, t.solo
    ), pending AS (
        SELECT s.ctid AS place FROM submissions s
        JOIN claimed c ON s.tenant_id = c.tenant_id AND s.id = c.submission_id
        WHERE s.status = 'pending' AND :stage = 'score'
        ORDER BY s.id FOR UPDATE OF s SKIP LOCKED
    ), marked AS (
        UPDATE submissions s SET status = 'scoring', version = s.version + 1, updated_at = clock_timestamp()
        WHERE s.ctid = ANY (ARRAY(SELECT place FROM pending)) AND s.status = 'pending'
        RETURNING s.id, s.tenant_id, s.version
    )
    SELECT 'claimed' AS what, submission_id::text, tenant_id, epoch AS number, attempts, solo FROM claimed
    UNION ALL
    SELECT 'marked', id::text, tenant_id, version, NULL, NULL FROM marked
    """
)


LOAD = text(
    """
    SELECT s.id::text, s.tenant_id, s.learner_id, s.locale, s.career_goal, s.industry, s.created_at,
        coalesce(s.submitted_at, s.created_at) AS handed_in_at,
        (SELECT jsonb_agg(jsonb_build_array(a.version_key, a.response, a.response_time_ms, a.confidence)
                          ORDER BY a.position)
         FROM answers a WHERE a.submission_id = s.id) AS answers,
        (SELECT r.body FROM results r WHERE r.submission_id = s.id AND r.stage = 'score') AS score,
        CASE WHEN :timed THEN (
            SELECT jsonb_agg(jsonb_build_array(t.stage, t.queued_at, t.started_at, t.finished_at))
            FROM stages t WHERE t.submission_id = s.id) END AS timings,
        clock_timestamp() AS now
    FROM submissions s
    JOIN jsonb_to_recordset(CAST(:claims AS jsonb)) AS c(submission_id uuid, tenant_id int)
      ON s.tenant_id = c.tenant_id AND s.id = c.submission_id
    """
)


SCORES = text(
    """
    SELECT submission_id::text AS id, body FROM results
    WHERE submission_id = ANY(CAST(:ids AS uuid[])) AND stage = 'score'
    """
)

HURRY = text("SELECT set_config('lock_timeout', :milliseconds, true)")
HURRIED_MS: Final = 2_000
NOT_KNOWN: Final[Mapping[str, tuple[StageTiming, ...]]] = MappingProxyType({})


def claim_rows(claims: Sequence[Claim]) -> str:
    return as_json([{"submission_id": c.submission_id, "tenant_id": c.tenant_id} for c in claims])


class WorkUnit:
    """One transaction on a batch of one stage; nothing of it is kept unless it ends well."""

    def __init__(
        self,
        connection: AsyncConnection,
        stage: Stage,
        worker_id: str | None,
        versions: QuestionVersions,
        banks: Banks,
    ) -> None:
        self.connection = connection
        self._banks = banks
        self._known: Mapping[int, TenantBank] = {}
        self._item_steps: Mapping[str, ItemSteps] = {}
        self.stage = stage
        self._worker_id = worker_id
        self._versions = versions
        self._timings: dict[str, tuple[StageTiming, ...]] = {}
        self._scores: dict[str, tuple[AnswerScore, ...]] = {}
        self.paused: frozenset[Stage] = frozenset()

    async def hold(self, claims: Sequence[Claim], *, rescored: bool = False) -> list[tuple[Claim, Held]]:
        """Lock the submissions and keep the claims that are still ours; a lost lease drops out here.

        With `rescored`, for those that were loaded before, so that `renewed` knows how they are scored by now.
        """
        scores = [(SCORES, {"ids": [claim.submission_id for claim in claims]})] if rescored else []
        held = await lock(self.connection, [(c.submission_id, c.tenant_id) for c in claims], besides=scores)
        self._timings, self.paused = held.timings, held.paused
        self._scores = {row.id: scores_from(row.body) for rows in held.besides for row in rows}
        rows = {row.id: row for row in held.rows}
        ours = []
        for claim in claims:
            key = (claim.submission_id, self.stage)
            if held.owners.get(key) == (claim.epoch, self._worker_id):
                ours.append((claim, rows[claim.submission_id].held))
        return ours

    async def load(self, claims: Sequence[Claim]) -> list[Work]:
        """What the stage needs to know of each submission, in the order of the claims, erased ones left out."""
        if not claims:
            return []
        timed = self.stage is Stage.METRICS and not self._timings
        found = await self.connection.execute(LOAD, {"claims": claim_rows(claims), "timed": timed})
        rows = found.all()
        versions = await self._versions.load(self.connection, {answer[0] for row in rows for answer in row.answers})
        return works_from(claims, rows, versions, self._timings)

    def renewed(self, works: Sequence[Work]) -> list[Work]:
        """The same submissions, loaded before, as of `hold`: their stages' times, and scores people settled since."""
        return [
            msgspec.structs.replace(
                work, timings=self._timings[work.submission_id], scores=self._scores.get(work.submission_id, ())
            )
            for work in works
        ]

    async def hurry(self) -> None:
        """From now on, wait for nobody's lock for long: raises `Contended` instead, and the unit is over."""
        await self.connection.execute(HURRY, {"milliseconds": str(HURRIED_MS)})

    async def lock_learning(self, works: Sequence[Work]) -> LearningState:
        """What is known of the learners and questions of these submissions, locked until the unit ends."""
        self._known = await self._banks.load(self.connection, {work.tenant_id for work in works})
        return await lock_learning(self.connection, self._known, works)

    async def save_learning(self, learned: Learned) -> None:
        """Write back what was learnt of them."""
        self._item_steps = learned.item_steps
        await save_learning(self.connection, {id_: bank.key_by_id for id_, bank in self._known.items()}, learned)

    async def add_metrics(self, increments: Increments) -> None:
        """Add to the daily, per-question and per-stage figures."""
        await add_metrics(self.connection, increments)

    async def record(self, runs: Sequence[Run]) -> Recorded:
        """Write what happened to each held submission's stages; successors become ready with it."""
        if not runs:
            return Recorded()
        steps = self._item_steps
        return await write(
            self.connection,
            [pending_write(run, self._worker_id, item_steps=steps.get(run.before.submission_id)) for run in runs],
        )


def works_from(
    claims: Sequence[Claim],
    found: Sequence[Any],
    versions: Mapping[int, StoredQuestion],
    timings: Mapping[str, tuple[StageTiming, ...]] = NOT_KNOWN,
) -> list[Work]:
    """Of each claim what was found, in their order; where the stages' `timings` are not known, as it says itself."""
    rows = {row.id: row for row in found}
    return [
        work_from(rows[claim.submission_id], versions, timings.get(claim.submission_id))
        for claim in claims
        if claim.submission_id in rows
    ]


def work_from(row: Any, versions: Any, timings: tuple[StageTiming, ...] | None) -> Work:
    return Work(
        submission_id=row.id,
        tenant_id=row.tenant_id,
        learner_id=row.learner_id,
        context=LearnerContext(row.locale, row.career_goal, row.industry),
        created_at=row.created_at,
        handed_in_at=row.handed_in_at,
        answers=tuple(
            Answer(versions[key].question, response, milliseconds, confidence)
            for key, response, milliseconds, confidence in row.answers
        ),
        scores=scores_from(row.score),
        timings=tuple(msgspec.convert(row.timings or [], list[StageTiming])) if timings is None else timings,
        loaded_at=row.now,
    )


def scores_from(body: Any) -> tuple[AnswerScore, ...]:
    """The per-answer scores of a stored score result; empty where there is none yet."""
    if body is None:
        return ()
    return scores_in(unpacked(Stage.SCORE, body))


class WorkStore:
    """Postgres as the port `pipeline.ports.WorkStore`."""

    def __init__(self, engine: AsyncEngine, versions: QuestionVersions) -> None:
        self._engine = engine
        self._versions = versions
        self._banks = Banks()

    async def claim(
        self, stage: Stage, ids: Sequence[str], worker_id: str, lease_seconds: float, *, solo: bool = False
    ) -> tuple[list[Claim], list[Change]]:
        """Take what is ready of these submissions; answers the claims and what changed for watchers."""
        values = {
            "ids": list(ids),
            "stage": stage,
            "worker": worker_id,
            "lease_seconds": lease_seconds,
            "solo": solo,
        }
        [found] = await ask(self._engine, (CLAIM, values))
        claims = [
            Claim(row.submission_id, row.tenant_id, row.number, row.attempts, row.solo)
            for row in found
            if row.what == "claimed"
        ]
        changes = [
            Change(row.submission_id, row.tenant_id, row.number, Status.SCORING)
            for row in found
            if row.what == "marked"
        ]
        return claims, changes

    async def load(self, stage: Stage, claims: Sequence[Claim]) -> list[Work]:
        """What the stage needs to know of each submission, without holding it."""
        values = {"claims": claim_rows(claims), "timed": stage is Stage.METRICS}
        [found] = await ask(self._engine, (LOAD, values))
        keys = {answer[0] for row in found for answer in row.answers}
        return works_from(claims, found, await self._versions.look_up(self._engine, keys))

    @asynccontextmanager
    async def unit(self, stage: Stage, worker_id: str) -> AsyncIterator[WorkUnit]:
        """A transaction in which a batch of this stage is held, loaded and recorded."""
        try:
            async with transaction(self._engine) as connection:
                yield WorkUnit(connection, stage, worker_id, self._versions, self._banks)
        except Unavailable as error:
            if isinstance(getattr(error.__cause__, "orig", None), LockNotAvailable):
                raise Contended("Others hold the rows that this batch needs.") from error
            raise
