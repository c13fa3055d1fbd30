"""`python -m api`: one API process."""

import sys

import uvicorn

from api.app import create_app
from pipeline import telemetry
from pipeline.bootstrap import required
from pipeline.errors import GradelineError
from pipeline.settings import read_settings


def main() -> None:
    settings = read_settings()
    required(settings.database_url, "GRADELINE_DATABASE_URL")
    required(settings.redis_url, "GRADELINE_REDIS_URL")
    telemetry.configure(settings.log_level, settings.log_format)
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        lifespan="on",
        server_header=False,
    )


if __name__ == "__main__":
    try:
        main()
    except GradelineError as error:
        sys.exit(f"Error: {error}")
