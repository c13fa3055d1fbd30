"""`gradeline submit`: hand in a file of submissions, and watch them if asked to."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import click
import msgspec

from cli.backlog import Entry
from cli.handing_in import MOST_IN_BATCH
from cli.idempotency import FIELD, LineKeys
from cli.ndjson import BadLine, Line, count_lines, opened, read_lines
from cli.outcome import Outcome, answer_rows
from cli.output import print_json
from cli.target import Target, client_options, find_target
from cli.watching import FINAL
from pipeline.errors import EnvironmentFault

SHOWN_PROBLEMS: Final = 20


OnFinal = Callable[[dict[str, Any], int], None]
"""Gets a final submission and the number of its line."""


def ignore(_document: dict[str, Any], _line: int) -> None:
    """Do nothing with a final submission."""


class Progress(Protocol):
    """Whoever shows how far it is."""

    def update(self, outcome: Outcome, put_off: int) -> None:
        """Show the figures as they are now; `put_off` lines wait until the server will take them."""
        ...


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


async def submit_lines(
    target: Target,
    lines: Iterable[Line | BadLine],
    outcome: Outcome,
    progress: Progress,
    *,
    watch: bool,
    most_in_batch: int = MOST_IN_BATCH,
    on_final: OnFinal = ignore,
) -> None:
    """Hand in lines and, where asked, watch each until it is final: then `on_final` gets it with its line.

    `outcome` is filled as things happen, so that it is true whenever this ends.
    """
    from cli.client import connected
    from cli.handing_in import Said, Sender
    from cli.limited import LimitNotice
    from cli.together import together
    from cli.watching import Watch

    def tell(said: Said) -> None:
        if isinstance(said, BadLine):
            outcome.problems.append(said)
        elif outcome.kept(said) and watch:
            watch_one(said.submission)
        progress.update(outcome, sender.backlog.put_off)

    def watch_one(document: dict[str, Any]) -> None:
        if document["status"] in FINAL:  # it was handed in before
            tell_seen(document)
        else:
            watcher.add(document)

    def tell_seen(document: dict[str, Any]) -> None:
        outcome.seen(document)
        if document["status"] in FINAL:
            on_final(document, outcome.lines[document["id"]])
        progress.update(outcome, sender.backlog.put_off)

    async def send() -> None:
        await sender.run()
        watcher.close()

    async with connected(target) as client:
        entries = entries_of(lines, outcome)
        sender = Sender(client, entries, tell, on_limit=LimitNotice(), most_in_batch=most_in_batch)
        watcher = Watch(client, tell_seen)
        await together(send(), watcher.run())


def entries_of(lines: Iterable[Line | BadLine], outcome: Outcome) -> Iterator[Entry]:
    """What can be sent, each under its key; what cannot is noted."""
    keys = LineKeys()
    for line in lines:
        if isinstance(line, BadLine):
            outcome.problems.append(line)
        else:
            yield Entry(line.number, msgspec.json.encode({**line.value, FIELD: keys.key_of(line.value)}))


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
        f"{summary['submissions']} submissions ({made}), {summary['refused']} lines refused",
        f"status: {statuses}",
    ]
    if summary["mean_fraction"] is not None:
        lines.append(f"mean score: {summary['mean_fraction']:.1%}")
    lines.append(f"{summary['seconds']:.1f} s, {summary['rate'] or 0:.0f} submissions per second")
    return "\n".join(lines)
