"""`gradeline demo`: a whole system at work on samples, for ten seconds."""

import asyncio
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from cli.connection import Connection
from cli.demo.models import ModelUse, read_use, require_models
from cli.demo.summary import Digest, digest
from cli.interrupt import Interrupted
from cli.output import print_json
from cli.own_system import own_system
from cli.target import Target
from pipeline.errors import EnvironmentFault
from pipeline.settings import read_settings

SAMPLES: Final = Path(__file__).parent
QUESTIONS: Final = SAMPLES / "questions.ndjson"
SUBMISSIONS: Final = SAMPLES / "submissions.ndjson"


class Ran(NamedTuple):
    """What the demo saw: lines refused, the final documents, and the queues afterwards."""

    problems: list[str]
    documents: list[dict[str, Any]]
    queues: list[dict[str, Any]]
    models: tuple[ModelUse, ...] = ()


@click.command()
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="How many worker processes.")
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the data here, to look at with `gradeline up --home …`.  [default: a directory that is removed]",
)
@click.option(
    "--ai", is_flag=True, help="Have feedback written by the language models that are configured; costs money."
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
def demo(workers: int, home: Path | None, *, ai: bool, as_json: bool) -> None:
    """Run everything on samples, show what comes out, and stop.

    It starts PostgreSQL, Valkey, API and workers on free ports, imports 28 questions of all nine types
    in English, Korean, Japanese and Chinese, hands in 60 submissions of eight learners, and waits until
    all are final. Exits with 0 only if all are completed.

    \b
    Example:
      gradeline demo --workers 2
    """
    if ai:
        require_models(read_settings())
    try:
        with own_system(home, workers, say, models=ai, curriculum=True) as connection:
            ran = asyncio.run(run(connection, quiet=as_json))
            ran = ran._replace(models=read_use(connection.database_url) if ai else ())
    except Interrupted:
        raise click.Abort from None
    found = digest(ran.documents, ran.queues, ran.models)
    show(found, ran, as_json=as_json)
    if ran.problems or not found.all_completed:
        click.get_current_context().exit(1)


async def run(connection: Connection, *, quiet: bool) -> Ran:
    """Import the questions, hand in the submissions and watch them to their end."""
    from cli.importing import import_file
    from cli.ndjson import count_lines, opened, read_lines
    from cli.outcome import Outcome
    from cli.progress import shown
    from cli.queues import fetch
    from cli.submitting import submit_lines

    target = Target(connection.url, connection.api_key)
    imported = await import_file(target, QUESTIONS, quiet=quiet)
    if imported.problems:
        raise EnvironmentFault(f"{QUESTIONS}, line {imported.problems[0].number}: {imported.problems[0].detail}")
    outcome = Outcome()
    documents: dict[int, dict[str, Any]] = {}
    with opened(SUBMISSIONS) as file, shown(count_lines(SUBMISSIONS), watch=True, quiet=quiet) as bars:
        await submit_lines(
            target,
            read_lines(file),
            outcome,
            bars,
            watch=True,
            most_in_batch=1,  # as applications hand in, so that the latencies shown are theirs
            on_final=lambda document, line: documents.__setitem__(line, document),
        )
    queues = await fetch(Target(connection.url, connection.operator_key))
    problems = [f"{SUBMISSIONS}, line {problem.number}: {problem.detail}" for problem in outcome.problems]
    return Ran(problems, [documents[line] for line in sorted(documents)], queues)


def show(found: Digest, ran: Ran, *, as_json: bool) -> None:
    """The summary on stdout; lines that were refused on stderr."""
    from cli.demo.report import print_digest

    for problem in ran.problems:
        click.echo(problem, err=True)
    if as_json:
        print_json(found)
    else:
        print_digest(found)


def say(progress: str) -> None:
    click.echo(progress, err=True)
