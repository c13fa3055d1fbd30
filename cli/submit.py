"""`gradeline submit`: hand in a file of submissions, and watch them if asked to."""

import asyncio
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final

import click
import msgspec

from cli.ndjson import count_lines, opened, read_lines
from cli.outcome import Outcome, answer_rows
from cli.output import counted, print_json
from cli.submitting import ignore, submit_lines
from cli.target import Target, client_options, find_target
from pipeline.errors import EnvironmentFault

SHOWN_PROBLEMS: Final = 20


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--watch", is_flag=True, help="Wait until all are final.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Results, NDJSON; needs --watch.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
@client_options
def submit(
    file: Path, watch: bool, output: Path | None, as_json: bool, url: str | None, api_key: str | None, home: Path | None
) -> None:
    """Hand in the submissions of a file.

    FILE has one JSON object per line (`-`: standard input). Each line is handed in under a key made from
    its content, or under its own `idempotency_key`: the same file again makes nothing new, so an
    interrupted run is repeated as it was. Limits (by default 10 submissions per learner in 300 s) and
    outages are waited for, only by the lines they concern. Exits with 1 if a line was refused or, with
    --watch, a submission was not completed.

    \b
    Example:
      gradeline submit submissions.ndjson --watch --output results.ndjson
    """
    if output and not watch:
        raise click.UsageError("--output needs --watch: results are known when submissions are final")
    target = find_target(url, api_key, home)
    started = time.monotonic()
    outcome = Outcome()
    try:
        asyncio.run(submit_file(target, file, outcome, watch=watch, output=output, quiet=as_json))
    except KeyboardInterrupt:
        raise click.ClickException(stopped(outcome)) from None
    report(outcome, time.monotonic() - started, as_json=as_json)
    if not outcome.succeeded(watched=watch):
        click.get_current_context().exit(1)


def stopped(outcome: Outcome) -> str:
    """How far it came, for whoever pressed Ctrl-C."""
    return (
        f"stopped; {len(outcome.lines)} submissions were accepted and stay so. "
        "The same command again goes on from there and makes nothing twice"
    )


async def submit_file(
    target: Target, file: Path, outcome: Outcome, *, watch: bool, output: Path | None, quiet: bool
) -> None:
    """Hand in a file with a progress bar on stderr; results go to `output`, figures to `outcome`."""
    from cli.progress import shown

    with ExitStack() as stack:
        total = count_lines(file)
        lines = read_lines(stack.enter_context(opened(file)))
        results = stack.enter_context(created(output)) if output else None
        progress = stack.enter_context(shown(total, watch=watch, quiet=quiet))
        write = partial(write_rows, results) if results else ignore
        await submit_lines(target, lines, outcome, progress, watch=watch, on_final=write)


def write_rows(results: BinaryIO, document: dict[str, Any], line: int) -> None:
    results.writelines(msgspec.json.encode(row) + b"\n" for row in answer_rows(document, line))


def created(path: Path) -> BinaryIO:
    """The file to write results to; raises `EnvironmentFault` where it cannot be made."""
    try:
        return path.open("wb")
    except OSError as error:
        raise EnvironmentFault(f"cannot write {path}: {error.strerror}") from None


def report(outcome: Outcome, seconds: float, *, as_json: bool) -> None:
    """The summary on stdout, the lines with problems on stderr."""
    summary = outcome.summary(seconds)
    if as_json:
        print_json(summary)
        return
    for problem in sorted(outcome.problems)[:SHOWN_PROBLEMS]:
        click.echo(f"line {problem.number}: {problem.detail}", err=True)
    if len(outcome.problems) > SHOWN_PROBLEMS:
        click.echo(f"and {len(outcome.problems) - SHOWN_PROBLEMS} more; all of them with --json", err=True)
    click.echo(in_words(summary))


def in_words(summary: dict[str, Any]) -> str:
    """The summary as people read it."""
    statuses = ", ".join(f"{count} {status}" for status, count in summary["statuses"].items()) or "nothing"
    made = f"{summary['new']} new, {summary['already_there']} already there"
    lines = [
        f"{counted(summary['submissions'], 'submission')} ({made}), {counted(summary['refused'], 'line')} refused",
        f"status: {statuses}",
    ]
    if summary["mean_fraction"] is not None:
        lines.append(f"mean score: {summary['mean_fraction']:.1%}")
    lines.append(f"{summary['seconds']:.1f} s, {summary['rate'] or 0:.0f} submissions per second")
    return "\n".join(lines)
