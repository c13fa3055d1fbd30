"""Whether Postgres answers, and which schema it has."""

from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.store.engine import transaction
from pipeline.store.migrate import newest_revision

VERSION = text("SELECT current_setting('server_version')")


class HealthStore:
    """Postgres as the port `pipeline.ports.HealthStore`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._needed = newest_revision()

    async def probe(self) -> str:
        """The server's version; raises `Unavailable` where it does not answer."""
        async with transaction(self._engine) as connection:
            return str((await connection.execute(VERSION)).scalar_one())

    async def revisions(self) -> tuple[str | None, str]:
        """The schema revision that the database has (None: it is empty), and the one this code was written for."""
        async with transaction(self._engine) as connection:
            found = await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
        return found, self._needed
