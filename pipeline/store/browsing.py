"""Finding submissions by filter, newest first; those that wait for a person's word, oldest first.

There is no index on a submission's status: with one, none of its status changes could stay on its page. What
is rare is found by its stages instead, whose partial indexes hold just the open, dead and cancelled ones;
what is common (completed) is near at hand when reading from the newest.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from sqlalchemy import TextClause, text

from pipeline.lifecycle import Status
from pipeline.ports import SubmissionFilter

CLOCK_DIFFERENCE: Final = timedelta(minutes=5)
"""How far an API server's clock, which is in the ids, may be from Postgres', which is in `created_at`."""

LATER: Final = "t.stage IN ('feedback', 'recommend', 'metrics')"


def having_stage(condition: str) -> str:
    return f"SELECT t.submission_id FROM stages t WHERE t.tenant_id = :tenant_id AND {condition}"


UNSCORED: Final = having_stage("t.state = 'ready' AND t.stage = 'score'")
IN_SCORING: Final = having_stage("t.state = 'running' AND t.stage = 'score'")
WAITING_LATER: Final = having_stage(f"t.state = 'ready' AND {LATER}")
RUNNING_LATER: Final = having_stage(f"t.state = 'running' AND {LATER}")
DEAD: Final = having_stage("t.state = 'dead'")
CANCELLED: Final = having_stage("t.state = 'cancelled'")

# Where a submission stands follows from its stages; these say the same as `lifecycle.status_of`.
STANDS: Final[Mapping[Status, str]] = MappingProxyType(
    {
        Status.PENDING: f"s.id IN ({UNSCORED})",
        Status.SCORING: f"s.id IN ({IN_SCORING})",
        Status.AI_PROCESSING: f"s.id IN ({WAITING_LATER} UNION ALL {RUNNING_LATER}) AND s.id NOT IN ({DEAD})",
        Status.COMPLETED: "s.completed_at IS NOT NULL",
        Status.FAILED: f"s.id IN ({DEAD})",
        Status.CANCELLED: f"s.id IN ({CANCELLED})",
    }
)

# As the index of what waits says it, which holds nothing else.
PROVISIONAL: Final = """r.stage = 'score' AND r.body @> '{"provisional": true}'"""
OLDER: Final = "s.id < CAST(:behind AS uuid)"
DECIDED: Final = f"NOT EXISTS (SELECT FROM results r WHERE r.submission_id = s.id AND {PROVISIONAL})"


def browsing(
    tenant_id: int, wanted: SubmissionFilter, behind: str | None, most: int
) -> tuple[TextClause, dict[str, Any]]:
    """The statement that finds the ids, and its values."""
    conditions = ["s.tenant_id = :tenant_id"]
    values: dict[str, Any] = {"tenant_id": tenant_id, "most": most}
    for condition, name, value in (
        ("s.learner_id = :learner_id", "learner_id", wanted.learner_id),
        ("s.assignment_id = :assignment_id", "assignment_id", wanted.assignment_id),
        ("s.created_at >= :created_after AND s.id >= CAST(:from_id AS uuid)", "created_after", wanted.created_after),
        ("s.created_at < :created_before AND s.id < CAST(:to_id AS uuid)", "created_before", wanted.created_before),
        ("r.submission_id > CAST(:behind AS uuid)" if wanted.needs_review else OLDER, "behind", behind),
    ):
        if value is not None:
            conditions.append(condition)
            values[name] = value
    if wanted.created_after is not None:
        values["from_id"] = first_id_at(wanted.created_after, -CLOCK_DIFFERENCE)
    if wanted.created_before is not None:
        values["to_id"] = first_id_at(wanted.created_before, CLOCK_DIFFERENCE)
    if wanted.status is not None:
        conditions.append(STANDS[wanted.status])
    if wanted.needs_review is False:
        conditions.append(DECIDED)
    return text(finding(conditions, waiting=bool(wanted.needs_review))), values


def finding(conditions: Sequence[str], *, waiting: bool) -> str:
    """Submissions that fit, the newest first; those that wait for a person in the order of their index."""
    where = " AND ".join(conditions)
    if not waiting:
        return f"SELECT s.id::text FROM submissions s WHERE {where} ORDER BY s.id DESC LIMIT :most"
    return f"""
        SELECT s.id::text FROM results r
        JOIN submissions s ON s.tenant_id = r.tenant_id AND s.id = r.submission_id AND s.status <> 'cancelled'
        WHERE r.tenant_id = :tenant_id AND {PROVISIONAL} AND {where} ORDER BY r.submission_id LIMIT :most
    """


def first_id_at(moment: datetime, later: timedelta) -> str:
    """The smallest UUIDv7 of a moment (RFC 9562: 48 bits of Unix milliseconds come first), moved by `later`."""
    milliseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC) + later) // timedelta(milliseconds=1)
    return str(UUID(int=min(max(milliseconds, 0), 2**48 - 1) << 80))
