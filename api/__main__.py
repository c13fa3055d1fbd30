"""`python -m api`: one API process."""

import sys

from api.server import create_server, raise_file_limit, settle_memory
from pipeline import telemetry
from pipeline.bootstrap import required
from pipeline.errors import GradelineError
from pipeline.settings import read_settings


def main() -> None:
    settings = read_settings()
    required(settings.database_url, "GRADELINE_DATABASE_URL")
    required(settings.redis_url, "GRADELINE_REDIS_URL")
    telemetry.configure(settings.log_level, settings.log_format)
    raise_file_limit()
    server = create_server(settings)
    settle_memory()
    server.run()


if __name__ == "__main__":
    try:
        main()
    except GradelineError as error:
        sys.exit(f"Error: {error}")
