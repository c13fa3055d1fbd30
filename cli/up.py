"""`gradeline up`: everything on this machine, until Ctrl-C."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import click
import msgspec

from cli.connection import Connection, Keys
from cli.interrupt import Interrupted
from cli.supervisor import PROGRAMS, PartEnded, Plan, Programs, leave_empty, running
from pipeline.embedded.child import last_lines
from pipeline.errors import GradelineError
from pipeline.settings import Settings, read_settings

SHOWN_LINES: Final = 20
WORKERS: Final = "How many worker processes; where language models are configured, one more asks them."

READY: Final = """\
Gradeline is ready.
  address       {url} (documentation at {url}/schema)
  API key       {api_key}
  operator key  {operator_key}
Stop it with Ctrl-C."""


def up_command(
    *,
    check: Callable[[Settings], None],
    migrate: Callable[[Settings], None],
    ensure_keys: Callable[[Settings, Keys | None], Keys],
    furnish: Callable[[Settings, Keys], None] = leave_empty,
    programs: Programs = PROGRAMS,
) -> click.Command:
    """The command `up`, given what `Plan` asks of the four functions."""

    @click.command("up")
    @click.option("--port", type=click.IntRange(0, 65_535), help="Port of the API; 0 takes any free one.")
    @click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help=WORKERS)
    @click.option(
        "--home",
        type=click.Path(file_okay=False, path_type=Path),
        help="Where the data lives.  [default: $GRADELINE_HOME or .gradeline]",
    )
    def up(port: int | None, workers: int, home: Path | None) -> None:
        """Run everything on this machine: PostgreSQL, Valkey, API and workers.

        Servers named by GRADELINE_DATABASE_URL and GRADELINE_REDIS_URL are used in place of our own.

        \b
        Example:
          gradeline up --port 0 --workers 2
        """
        try:
            settings = choose(read_settings(), port=port, home=home)
            serve(Plan(settings, workers, check, migrate, ensure_keys, furnish, programs))
        except PartEnded as error:
            show_log(error)
            raise click.ClickException(str(error)) from None
        except GradelineError as error:
            raise click.ClickException(str(error)) from None

    return up


def choose(settings: Settings, *, port: int | None, home: Path | None) -> Settings:
    """The settings with what the command line says instead."""
    chosen = {"port": port, "home": home}
    return msgspec.structs.replace(settings, **{name: value for name, value in chosen.items() if value is not None})


def serve(plan: Plan) -> None:
    """Run a system until somebody stops it; raises `GradelineError` if it cannot run or a part ends."""
    try:
        with running(plan, say) as system:
            if system.connection:
                announce(system.connection)
            system.wait()
    except Interrupted:
        say("stopped")


def announce(connection: Connection) -> None:
    click.echo(READY.format_map(msgspec.structs.asdict(connection)))


def say(progress: str) -> None:
    """Tell people how far we are, apart from what scripts read."""
    click.echo(progress, err=True)


def show_log(error: PartEnded) -> None:
    """The last that the part had to say."""
    for line in last_lines(error.part.log, SHOWN_LINES):
        click.echo(f"{error.part.name} | {line}", err=True)
