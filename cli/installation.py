"""What `gradeline up` does to its servers before it starts the rest: check, migrate, make the first keys, furnish."""

import asyncio
from typing import Final

from cli.connection import Keys
from cli.up import up_command
from pipeline import bootstrap
from pipeline.errors import Unauthenticated
from pipeline.service.access import Access, Role
from pipeline.settings import Settings

FIRST_TENANT: Final = "default"


def check(settings: Settings) -> None:
    """Raise `EnvironmentFault` where Postgres or Redis will not do."""
    asyncio.run(bootstrap.check_servers(settings))


def migrate(settings: Settings) -> None:
    """Bring the database to our schema."""
    asyncio.run(bootstrap.migrate(settings))


def ensure_keys(settings: Settings, kept: Keys | None) -> Keys:
    """The keys kept from an earlier start, each replaced by a new one if it no longer opens this database."""
    return asyncio.run(_ensure_keys(settings, kept))


async def _ensure_keys(settings: Settings, kept: Keys | None) -> Keys:
    async with bootstrap.open_access(settings) as access:
        return Keys(
            api_key=await _ensure_key(access, kept.api_key if kept else None, Role.TEACHER, "first key"),
            operator_key=await _ensure_key(
                access, kept.operator_key if kept else None, Role.OPERATOR, "first operator key"
            ),
        )


async def _ensure_key(access: Access, kept: str | None, role: Role, name: str) -> str:
    if kept is not None:
        try:
            await access.authenticate(f"Bearer {kept}")
        except Unauthenticated:
            pass  # another database, or revoked: then a new one is made
        else:
            return kept
    return (await access.create_key(FIRST_TENANT, role, name)).secret


def furnish(settings: Settings, keys: Keys) -> None:
    """Import the curriculum that ships, where the keys' tenant has none."""
    asyncio.run(bootstrap.furnish(settings, keys.api_key))


up = up_command(check=check, migrate=migrate, ensure_keys=ensure_keys, furnish=furnish)
