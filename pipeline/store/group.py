"""Groups of learners. Whoever changes one locks its row first, so that two at once cannot exceed its size."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from pipeline.errors import Conflict
from pipeline.ports.analytics import Group, MembersChanged
from pipeline.store.engine import LOOK_UP_SECONDS, transaction

COLUMNS = """
    g.id, g.name, (SELECT count(*) FROM learner_group_members m WHERE m.tenant_id = g.tenant_id AND m.group_id = g.id)
        AS members, g.created_at, g.updated_at
"""

GET = text(f"SELECT {COLUMNS} FROM learner_groups g WHERE g.tenant_id = :tenant_id AND g.id = :group_id")

BROWSE = text(
    f"SELECT {COLUMNS} FROM learner_groups g WHERE g.tenant_id = :tenant_id AND g.id > :after ORDER BY g.id LIMIT :most"
)

RENAME = text(
    "UPDATE learner_groups SET name = :name, updated_at = now() WHERE tenant_id = :tenant_id AND id = :group_id"
)

# Groups of a tenant are put one after the other, so that looking and counting first is enough.
LOCK_TENANT = text("SELECT FROM tenants WHERE id = :tenant_id FOR NO KEY UPDATE")
INSERT = text(
    """
    INSERT INTO learner_groups (tenant_id, id, name)
    SELECT :tenant_id, :group_id, :name
    WHERE (SELECT count(*) FROM learner_groups WHERE tenant_id = :tenant_id) < :most
    """
)

DELETE = text("DELETE FROM learner_groups WHERE tenant_id = :tenant_id AND id = :group_id")

LOCK = text("SELECT FROM learner_groups WHERE tenant_id = :tenant_id AND id = :group_id FOR UPDATE")

MEMBERS = text(
    """
    SELECT learner_id FROM learner_group_members
    WHERE tenant_id = :tenant_id AND group_id = :group_id AND learner_id > :after ORDER BY learner_id LIMIT :most
    """
)

ADD = text(
    """
    INSERT INTO learner_group_members (tenant_id, group_id, learner_id)
    SELECT :tenant_id, :group_id, learner_id FROM unnest(CAST(:learner_ids AS text[])) AS learner_id
    ORDER BY learner_id
    ON CONFLICT DO NOTHING
    """
)

OF_GROUP = "tenant_id = :tenant_id AND group_id = :group_id"
REMOVE = text(f"DELETE FROM learner_group_members WHERE {OF_GROUP} AND learner_id = ANY(:learner_ids)")
REMOVE_OTHERS = text(f"DELETE FROM learner_group_members WHERE {OF_GROUP} AND learner_id <> ALL(:learner_ids)")
COUNT = text(f"SELECT count(*) FROM learner_group_members WHERE {OF_GROUP}")


class GroupStore:
    """Postgres as the port `pipeline.ports.GroupStore`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def put(self, tenant_id: int, group_id: str, name: str, *, most: int) -> tuple[Group, bool] | None:
        """Make or rename a group; True where it is new, None where the tenant has `most` groups already."""
        values = {"tenant_id": tenant_id, "group_id": group_id, "name": name, "most": most}
        async with transaction(self._engine) as connection:
            await connection.execute(LOCK_TENANT, values)
            is_new = not (await connection.execute(RENAME, values)).rowcount
            if is_new:
                await connection.execute(INSERT, values)
            row = (await connection.execute(GET, values)).one_or_none()
        return None if row is None else (group_from(row), is_new)

    async def get(self, tenant_id: int, group_id: str) -> Group | None:
        """One group."""
        async with transaction(self._engine) as connection:
            row = (await connection.execute(GET, {"tenant_id": tenant_id, "group_id": group_id})).one_or_none()
        return None if row is None else group_from(row)

    async def browse(self, tenant_id: int, *, after: str, most: int) -> list[Group]:
        """Groups in the order of their ids, from the first behind `after`."""
        async with transaction(self._engine) as connection:
            rows = await connection.execute(BROWSE, {"tenant_id": tenant_id, "after": after, "most": most})
            return [group_from(row) for row in rows]

    async def delete(self, tenant_id: int, group_id: str) -> bool:
        """Delete a group and nothing of its learners; False where there is none."""
        async with transaction(self._engine) as connection:
            deleted = await connection.execute(DELETE, {"tenant_id": tenant_id, "group_id": group_id})
            return bool(deleted.rowcount)

    async def members(self, tenant_id: int, group_id: str, *, after: str, most: int) -> list[str]:
        """Learners of a group in the order of their ids, from the first behind `after`."""
        values = {"tenant_id": tenant_id, "group_id": group_id, "after": after, "most": most}
        async with transaction(self._engine) as connection:
            return list((await connection.execute(MEMBERS, values)).scalars())

    async def add(
        self, tenant_id: int, group_id: str, learner_ids: Collection[str], *, replace: bool, most: int
    ) -> MembersChanged | None:
        """Make these learners members, and with `replace` nobody else; None where there is no such group.

        Raises `Conflict` where the group would have more than `most` members; then nothing is changed.
        """
        values = {"tenant_id": tenant_id, "group_id": group_id, "learner_ids": sorted(set(learner_ids))}
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            if not await is_locked(connection, values):
                return None
            removed = (await connection.execute(REMOVE_OTHERS, values)).rowcount if replace else 0
            added = (await connection.execute(ADD, values)).rowcount
            members = (await connection.execute(COUNT, values)).scalar_one()
            if members > most:
                raise Conflict(f"A group may have at most {most:,} learners; this one would have {members:,}.")
        return MembersChanged(added, removed, members)

    async def remove(self, tenant_id: int, group_id: str, learner_ids: Collection[str]) -> MembersChanged | None:
        """Take these learners out, those who are in it; None where there is no such group."""
        values = {"tenant_id": tenant_id, "group_id": group_id, "learner_ids": sorted(set(learner_ids))}
        async with transaction(self._engine, seconds=LOOK_UP_SECONDS) as connection:
            if not await is_locked(connection, values):
                return None
            removed = (await connection.execute(REMOVE, values)).rowcount
            members = (await connection.execute(COUNT, values)).scalar_one()
        return MembersChanged(0, removed, members)


async def is_locked(connection: AsyncConnection, values: dict[str, Any]) -> bool:
    """Lock the group until the transaction ends; False where there is none."""
    return (await connection.execute(LOCK, values)).one_or_none() is not None


def group_from(row: Any) -> Group:
    return Group(row.id, row.name, row.members, row.created_at, row.updated_at)
