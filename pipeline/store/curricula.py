"""Reading a tenant's curriculum."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.curriculum.model import Category, Curriculum, Module, Project, Resource, Track

ENTRIES = text("SELECT kind, id, body FROM curriculum_entries WHERE tenant_id = :tenant_id ORDER BY kind, position, id")

PARTS: Final[Mapping[str, tuple[str, type]]] = MappingProxyType(
    {
        "category": ("categories", Category),
        "track": ("tracks", Track),
        "module": ("modules", Module),
        "resource": ("resources", Resource),
        "project": ("projects", Project),
    }
)


async def read_curriculum(connection: AsyncConnection, tenant_id: int, version: int) -> Curriculum:
    """The curriculum as this transaction sees it, called by `version`."""
    parts: dict[str, dict[str, Any]] = {part: {} for part, _ in PARTS.values()}
    for row in await connection.execute(ENTRIES, {"tenant_id": tenant_id}):
        part, kind = PARTS[row.kind]
        parts[part][row.id] = msgspec.convert({**row.body, "id": row.id}, kind)
    return Curriculum(**parts, version=version)
