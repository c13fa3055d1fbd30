"""Deleting one entry of a curriculum, in the transaction in which it was found to be unused."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.curriculum.entry import Kind
from pipeline.store.engine import as_json

AIMING: Final = text("SELECT count(*) FROM learners WHERE tenant_id = :tenant_id AND goals ->> 'target' = :id")

DELETE: Final = text(
    "DELETE FROM curriculum_entries WHERE tenant_id = :tenant_id AND kind = :kind AND id = :id RETURNING position"
)

# New entries take the number of those there are as their place, so no place stays empty.
CLOSE_UP: Final = text(
    """
    UPDATE curriculum_entries SET position = position - 1
    WHERE tenant_id = :tenant_id AND kind = :kind AND position > :position
    """
)

NOTE: Final = text(
    """
    INSERT INTO audit_log (id, tenant_id, actor, action, target)
    VALUES (CAST(:audit_id AS uuid), :tenant_id, :actor, 'curriculum.delete', CAST(:target AS jsonb))
    """
)


async def count_aiming(connection: AsyncConnection, tenant_id: int, kind: Kind, entry_id: str) -> int:
    """How many learners have this entry as the target among their goals; only a category can be one."""
    if kind is not Kind.CATEGORY:
        return 0
    found: int = (await connection.execute(AIMING, {"tenant_id": tenant_id, "id": entry_id})).scalar_one()
    return found


async def delete_entry(connection: AsyncConnection, tenant_id: int, kind: Kind, entry_id: str) -> None:
    """Delete an entry that is there; the others keep their order."""
    values = {"tenant_id": tenant_id, "kind": kind, "id": entry_id}
    position = (await connection.execute(DELETE, values)).scalar_one()
    await connection.execute(CLOSE_UP, values | {"position": position})


async def note_deletion(
    connection: AsyncConnection, tenant_id: int, kind: Kind, entry_id: str, *, actor: str, audit_id: str
) -> None:
    """Write into the audit log who deleted what."""
    target = as_json({"kind": kind, "id": entry_id})
    await connection.execute(NOTE, {"tenant_id": tenant_id, "actor": actor, "audit_id": audit_id, "target": target})
