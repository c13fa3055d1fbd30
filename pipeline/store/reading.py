"""Reading submissions whole, always of one tenant."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.curriculum.naming import Teachers, names_by, teachers_of
from pipeline.lifecycle import Stage, Status, status_of
from pipeline.model import StageView, Standing, SubmissionView
from pipeline.ports import SubmissionFilter
from pipeline.store.browsing import browsing
from pipeline.store.curriculum import CurriculumStore
from pipeline.store.engine import LOOK_UP_SECONDS, as_json, transaction
from pipeline.store.packing import unpacked
from pipeline.store.question import QuestionVersions

COLUMNS = """
    s.id::text, s.tenant_id, s.version, s.status, s.learner_id, s.assignment_id, s.locale, s.career_goal, s.industry,
    s.priority, s.retry_feedback, s.callback_url, s.metadata, s.submitted_at, s.created_at, s.updated_at,
    s.completed_at, (SELECT t.curriculum_version FROM tenants t WHERE t.id = s.tenant_id) AS curriculum_version,
    (SELECT jsonb_agg(jsonb_build_object('stage', t.stage, 'state', t.state, 'attempts', t.attempts,
            'queued_at', t.queued_at, 'started_at', t.started_at, 'finished_at', t.finished_at,
            'error', CASE WHEN t.state IN ('dead', 'ready') AND t.epoch > 0 THEN (
                SELECT a.error FROM attempts a WHERE a.submission_id = s.id AND a.stage = t.stage
                ORDER BY a.epoch DESC LIMIT 1) END))
     FROM stages t WHERE t.submission_id = s.id) AS stages,
    (SELECT jsonb_object_agg(r.stage, r.body) FROM results r WHERE r.submission_id = s.id) AS results,
    (SELECT jsonb_agg(a.version_key ORDER BY a.position) FROM answers a WHERE a.submission_id = s.id) AS version_keys
"""

READ = text(f"SELECT {COLUMNS} FROM submissions s WHERE s.tenant_id = :tenant_id AND s.id = ANY(CAST(:ids AS uuid[]))")


STANDINGS = text(
    """
    SELECT s.id::text, s.tenant_id, s.version, s.status, s.learner_id, s.settled_version FROM submissions s
    JOIN jsonb_to_recordset(CAST(:submissions AS jsonb)) AS c(id uuid, tenant_id int)
      ON s.tenant_id = c.tenant_id AND s.id = c.id
    """
)


class ReadingStore:
    """Postgres as the port `pipeline.ports.ReadingStore`."""

    def __init__(self, engine: AsyncEngine, versions: QuestionVersions, curricula: CurriculumStore) -> None:
        self._engine = engine
        self._versions = versions
        self._curricula = curricula

    async def read(self, tenant_id: int, ids: Sequence[str]) -> list[SubmissionView]:
        """These submissions of the tenant, in the order asked for; those it does not have are left out."""
        async with transaction(self._engine) as connection:
            rows = {r.id: r for r in await connection.execute(READ, {"tenant_id": tenant_id, "ids": list(ids)})}
            keys = {key for row in rows.values() for key in row.version_keys or ()}
            versions = await self._versions.load(connection, keys)
        views = [view_from(rows[id_], versions) for id_ in ids if id_ in rows]
        topics = [advised_topics(view) for view in views]
        if not any(topics):
            return views
        curriculum = await self._curricula.known(tenant_id, max(row.curriculum_version for row in rows.values()))
        teachers = teachers_of(curriculum, frozenset().union(*topics))
        return [with_names(view, teachers, theirs) for view, theirs in zip(views, topics, strict=True)]

    async def standings(self, submissions: Iterable[tuple[int, str]]) -> list[Standing]:
        """Where these submissions (tenant, id) stand, in any order."""
        asked = as_json([{"tenant_id": tenant_id, "id": id_} for tenant_id, id_ in submissions])
        async with transaction(self._engine) as connection:
            rows = await connection.execute(STANDINGS, {"submissions": asked})
            return [
                Standing(r.id, r.tenant_id, r.version, Status(r.status), r.learner_id, r.settled_version) for r in rows
            ]

    async def browse(self, tenant_id: int, wanted: SubmissionFilter, behind: str | None, most: int) -> list[str]:
        """The ids of at most `most` submissions that fit, behind the one named; newest first.

        Those that need review come oldest first.
        """
        statement, values = browsing(tenant_id, wanted, behind, most)
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            return [row.id for row in await connection.execute(statement, values)]


def advised_topics(view: SubmissionView) -> set[str]:
    """The topics that the reasons of its recommendations speak of."""
    advice = view.results.get(Stage.RECOMMEND, {})
    return {one["topic"] for part in ("questions", "resources") for one in advice.get(part, ())}


def with_names(view: SubmissionView, teachers: Teachers, topics: Collection[str]) -> SubmissionView:
    """The same with what these topics are called in its language."""
    if not topics:
        return view
    return msgspec.structs.replace(view, topic_names=names_by(teachers, topics, view.locale))


def view_from(row: Any, versions: Any) -> SubmissionView:
    found = {Stage(stage["stage"]): msgspec.convert(stage, StageView) for stage in row.stages}
    stages = {stage: found[stage] for stage in Stage}
    return SubmissionView(
        id=row.id,
        tenant_id=row.tenant_id,
        version=row.version,
        status=status_of({stage: view.state for stage, view in stages.items()}),
        learner_id=row.learner_id,
        assignment_id=row.assignment_id,
        locale=row.locale,
        career_goal=row.career_goal,
        industry=row.industry,
        priority=row.priority or "normal",
        retry_feedback=bool(row.retry_feedback),
        callback_url=row.callback_url,
        metadata=row.metadata or {},
        submitted_at=row.submitted_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        completed_at=row.completed_at,
        stages=stages,
        questions=tuple(versions[key].question for key in row.version_keys or ()),
        results={stage: unpacked(Stage(stage), body) for stage, body in (row.results or {}).items()},
    )
