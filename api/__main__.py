"""`python -m api`: one API process."""

import uvicorn

from api.app import create_app
from pipeline import telemetry
from pipeline.settings import read_settings


def main() -> None:
    settings = read_settings()
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
    main()
