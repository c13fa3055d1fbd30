"""`gradeline api`, `worker` and `migrate`: single parts, for installations that run them apart."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Final, NoReturn

import click
import msgspec

from cli.place import home_option, local_settings
from pipeline.settings import Settings

STAGES: Final = ("score", "recommend", "metrics", "feedback")
QUEUES: Final = (*STAGES, "deliver", "generate")


class QueueNames(click.ParamType[str]):
    """Names of queues with commas between them."""

    name = "queues"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The same list without blanks; fails on a name that is none of ours."""
        names = [name.strip() for name in value.split(",")]
        if unknown := [name for name in names if name not in QUEUES]:
            self.fail(f"{unknown[0]!r} is not one of {', '.join(QUEUES)}", param, ctx)
        return ",".join(names)


@click.command()
@click.option("--host", help="Address to listen on.  [default: $GRADELINE_HOST or 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65_535), help="Port.  [default: $GRADELINE_PORT or 8000]")
@home_option
def api(host: str | None, port: int | None, home: Path | None) -> None:
    """Run one API process.

    Needs GRADELINE_DATABASE_URL and GRADELINE_REDIS_URL, or a running `gradeline up` to join.

    \b
    Example:
      gradeline api --host 0.0.0.0 --port 8000
    """
    settings = local_settings(home)
    chosen = {"host": host, "port": port}
    become(
        "api",
        msgspec.structs.replace(settings, **{name: value for name, value in chosen.items() if value is not None}),
    )


@click.command()
@click.option("--stages", type=QueueNames(), help=f"Only these queues, of {','.join(QUEUES)}.  [default: all]")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 1_000),
    help="Rings handled at once.  [default: $GRADELINE_WORKER_CONCURRENCY or 16]",
)
@home_option
def worker(stages: str | None, concurrency: int | None, home: Path | None) -> None:
    """Run one worker process.

    Any number may run, on any number of machines. Needs GRADELINE_DATABASE_URL and GRADELINE_REDIS_URL,
    or a running `gradeline up` to join.

    \b
    Example:
      gradeline worker --stages score,recommend,metrics --concurrency 32
    """
    arguments = ["--stages", stages] if stages else []
    if concurrency:
        arguments += ["--concurrency", str(concurrency)]
    become("workers", local_settings(home), *arguments)


def become(module: str, settings: Settings, *arguments: str) -> NoReturn:
    """Replace this process by `python -m module`, which reads exactly these settings from its environment."""
    from cli.supervisor import environment_of
    from pipeline.bootstrap import required

    required(settings.database_url, "GRADELINE_DATABASE_URL")
    required(settings.redis_url, "GRADELINE_REDIS_URL")
    command = [sys.executable, "-m", module, *arguments]
    os.execve(command[0], command, environment_of(settings, os.environ))  # noqa: S606 - our own program, no shell


@click.command()
@home_option
def migrate(home: Path | None) -> None:
    """Bring the database to the newest schema.

    Any number may do so at once: one migrates, the others wait and find nothing to do.

    \b
    Example:
      GRADELINE_DATABASE_URL=postgresql://gradeline@db/gradeline gradeline migrate
    """
    from pipeline import bootstrap

    settings = local_settings(home)
    asyncio.run(bootstrap.check_database(settings))
    asyncio.run(bootstrap.migrate(settings))
    click.echo("the database has the newest schema")
