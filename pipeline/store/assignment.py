"""Who was assigned what in an experiment, and what was served: a row per answer."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.batching import Batcher
from pipeline.ports.experiment import ServedAnswer
from pipeline.store.engine import transaction
from pipeline.store.storable import storable_json

AT_ONCE: Final = 200

# A submission that is being erased is not brought back: its row is locked, or gone.
RECORD = text(
    """
    WITH kept AS MATERIALIZED (
        SELECT w.* FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS w(tenant_id int, submission_id uuid,
            question_id text, experiment text, arm text, source text, served_provider text, served_model text,
            prompt_version text)
        JOIN submissions s ON s.tenant_id = w.tenant_id AND s.id = w.submission_id
        ORDER BY s.id FOR KEY SHARE OF s
    )
    INSERT INTO feedback_assignments AS a (tenant_id, submission_id, question_id, experiment, arm, source,
        served_provider, served_model, prompt_version)
    SELECT tenant_id, submission_id, question_id, experiment, arm, source, served_provider, served_model, prompt_version
    FROM kept ORDER BY tenant_id, submission_id, question_id COLLATE "C"
    ON CONFLICT (tenant_id, submission_id, question_id) DO UPDATE SET experiment = excluded.experiment,
        arm = excluded.arm, source = excluded.source, served_provider = excluded.served_provider,
        served_model = excluded.served_model, prompt_version = excluded.prompt_version
    """
)


class AssignmentStore:
    """Postgres as the port `pipeline.ports.experiment.Assignments`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._recorded: Batcher[Sequence[ServedAnswer], None] = Batcher(self._record_together, most=AT_ONCE)

    async def record(self, served: Sequence[ServedAnswer]) -> None:
        """Note them, together with what others note at the moment; of one answer the last word counts."""
        if served:
            await self._recorded.add(served)

    async def _record_together(self, groups: list[Sequence[ServedAnswer]]) -> list[Exception | None]:
        rows = {place_of(one): row_of(one) for group in groups for one in group}
        async with transaction(self._engine) as connection:
            await connection.execute(RECORD, {"rows": storable_json([*rows.values()])})
        return [None] * len(groups)


def place_of(one: ServedAnswer) -> tuple[int, str, str]:
    return (one.tenant_id, one.submission_id, one.question_id)


def row_of(one: ServedAnswer) -> dict[str, Any]:
    return msgspec.structs.asdict(one)
