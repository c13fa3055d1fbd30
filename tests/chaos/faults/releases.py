"""A new release under load: the schema grows while old and new code run side by side."""

import signal
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from pipeline.store import migrate
from tests.chaos.fault import Fault, Moment
from tests.chaos.system import System

NEXT: Final = "9999"
LOCK_SECONDS: Final = 2
SCRIPT: Final = '''
"""Add columns, as the next release might."""

from alembic import op

revision = "{next}"
down_revision = "{newest}"


def upgrade() -> None:
    for table in {tables}:
        op.execute(f"ALTER TABLE {{table}} ADD COLUMN chaos_note text DEFAULT 'none'")


def downgrade() -> None:
    for table in {tables}:
        op.execute(f"ALTER TABLE {{table}} DROP COLUMN chaos_note")
'''
TABLES: Final = ("submissions", "stages", "results", "answers", "workers", "deliveries")


def next_release(folder: Path, connection: Connection) -> Config:
    """The migrations there are, and one more."""
    script = SCRIPT.format(next=NEXT, newest=migrate.newest_revision(), tables=TABLES)
    (folder / f"{NEXT}_add_note.py").write_text(script, encoding="utf-8")
    config = migrate.configuration(connection)
    config.set_main_option("version_locations", f"{migrate.MIGRATIONS / 'versions'}:{folder}")
    return config


async def migrated(system: System, direction: str) -> None:
    """Step up or down between this release and the next, as `migrate` would, waiting for no lock too long."""

    def step(connection: Connection) -> None:
        with tempfile.TemporaryDirectory() as folder:
            config = next_release(Path(folder), connection)
            if direction == "up":
                command.upgrade(config, "head")
            else:
                command.downgrade(config, migrate.newest_revision())

    async with system.parts.servers.engine.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": migrate.LOCK_KEY})
        await connection.run_sync(step)


@asynccontextmanager
async def back_again(system: System) -> AsyncIterator[None]:
    """Whatever happens, the schema is this release's afterwards."""
    try:
        yield
    finally:
        await migrated(system, "down")


async def release(system: System) -> Moment:
    """Add a column to every table that work goes through, then restart half of the processes: old beside new."""
    await migrated(system, "up")
    for name in ("api-1", "worker-1", "worker-2"):
        await system.replace(name, signal.SIGTERM, system.shipped(name))
    return time.time()


RELEASE_FAULTS: Final = (
    Fault(
        name="release",
        title="a migration that adds columns, then old and new processes side by side",
        promise="no more than a repeated request",
        rests_on="statements name the columns they want; a migration takes its lock for milliseconds",
        inject=release,
        drains_within=15.0,
        scene=back_again,
    ),
)
