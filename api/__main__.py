"""`python -m api`: one API process."""

import asyncio
import sys

import structlog

from api.server import create_server, raise_file_limit, settle_memory
from pipeline import telemetry
from pipeline.bootstrap import check_database, check_queues, check_statuses, required
from pipeline.embedded.port import require_free
from pipeline.errors import EnvironmentFault, GradelineError
from pipeline.settings import Settings, read_settings

log = structlog.get_logger()


def main() -> None:
    settings = read_settings()
    required(settings.database_url, "GRADELINE_DATABASE_URL")
    required(settings.redis_url, "GRADELINE_REDIS_URL")
    telemetry.configure(settings.log_level, settings.log_format)
    check_surroundings(settings)
    raise_file_limit()
    server = create_server(settings)
    settle_memory()
    server.run()


async def check_redis(settings: Settings) -> None:
    await check_statuses(settings)
    await check_queues(settings)


def check_surroundings(settings: Settings) -> None:
    """Raise `EnvironmentFault` where the port is in use or Postgres will not do; hand-ins can do without Redis."""
    require_free(settings.port, settings.host)
    asyncio.run(check_database(settings))
    try:
        asyncio.run(check_redis(settings))
    except EnvironmentFault as fault:
        log.warning(telemetry.CACHE_UNAVAILABLE, error=str(fault))


if __name__ == "__main__":
    try:
        main()
    except GradelineError as error:
        sys.exit(f"Error: {error}")
