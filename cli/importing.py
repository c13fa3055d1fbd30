"""`gradeline import`: put a file of questions into the bank."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import click
import msgspec

from cli import curriculum
from cli.converting import NDJSON, Conversion, Outcome, convert, format_of, readable, tell, unsent
from cli.ndjson import STANDARD_INPUT, BadLine, Line, count_lines, opened, read_lines
from cli.output import counted, print_json
from cli.target import Target, client_options, find_target

MOST_IN_CHUNK: Final = 500
MOST_CHUNK_BYTES: Final = 4_000_000
SHOWN_PROBLEMS: Final = 20


class Chunk(NamedTuple):
    """Lines that are sent in one request; `numbers` are their places in the file."""

    numbers: tuple[int, ...]
    body: bytes


class Imported(NamedTuple):
    """What became of a file: lines that made a version, lines that were there already, lines with problems."""

    imported: int
    unchanged: int
    problems: list[BadLine]


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--shipped", is_flag=True, help="Import the curriculum and questions that come with Gradeline.")
@click.option("--dry-run", is_flag=True, help="Read the file and print the report, but send nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object.")
@client_options
def import_(
    file: Path | None,
    shipped: bool,
    dry_run: bool,
    as_json: bool,
    url: str | None,
    api_key: str | None,
    home: Path | None,
) -> None:
    """Put the questions of a file into the bank, or a curriculum in its place.

    FILE (`-`: standard input) is NDJSON with one question per line, CSV, GIFT, Moodle XML, a QTI item
    or a QTI package; its content tells which. docs/questions.md has the nine types with an example of
    each, and what becomes of those of other systems. The report names every item and what of it could
    not be taken. A question that is there already gets a new version if it changed. What has problems
    is reported and left out. Needs a teacher's key. Exits with 1 if anything was refused.

    FILE may also be a curriculum (docs/curriculum.md), in JSON or NDJSON; its content tells that too. It is
    imported as a whole with the questions in it, or refused as a whole.

    \b
    Example:
      gradeline import questions.ndjson
      gradeline import --dry-run moodle-export.xml
      gradeline import --shipped
    """
    if (file is None) is not shipped:
        raise click.UsageError("Give either a FILE or --shipped.")
    find = partial(find_target, url, api_key, home)
    if file is None:
        from pipeline.curriculum.shipping import shipped_curriculum

        import_curriculum(shipped_curriculum(), find, dry_run=dry_run, as_json=as_json)
        return
    with readable(file) as source:
        if (kind := format_of(source, file)) == curriculum.CURRICULUM:
            import_curriculum(curriculum.read_whole(source), find, dry_run=dry_run, as_json=as_json)
        else:
            import_bank(source, file, kind, find, dry_run=dry_run, as_json=as_json)


def import_bank(
    source: IO[bytes], file: Path, kind: str, find: Callable[[], Target], *, dry_run: bool, as_json: bool
) -> None:
    """Import questions, or only read them, and tell of them; the command ends with 1 if any was refused."""
    if kind == NDJSON and not dry_run:
        total = None if file == STANDARD_INPUT else count_lines(file)
        imported = asyncio.run(import_source(find(), source, total, quiet=as_json))
        report(imported, as_json=as_json)
        refused = bool(imported.problems)
    else:
        conversion = convert(source, file)
        outcome = unsent(conversion) if dry_run else asyncio.run(send(find(), conversion))
        tell(conversion, outcome, dry_run=dry_run, as_json=as_json)
        refused = bool(outcome.refused)
    if refused:
        click.get_current_context().exit(1)


def import_curriculum(data: bytes, find: Callable[[], Target], *, dry_run: bool, as_json: bool) -> None:
    """Import a curriculum, or only read it, and tell of it."""
    if dry_run:
        curriculum.tell_found(curriculum.look_through(data), as_json=as_json)
    else:
        curriculum.tell(asyncio.run(curriculum.send(find(), data)), as_json=as_json)


async def send(target: Target, conversion: Conversion) -> Outcome:
    """Import what was read from a bank of another system."""
    imported = await import_lines(target, conversion.lines())
    refused = {problem.number: problem.detail for problem in imported.problems}
    return Outcome(imported.imported, imported.unchanged, refused)


async def import_file(target: Target, file: Path, *, quiet: bool) -> Imported:
    """Import a file of lines with a progress bar on stderr."""
    total = count_lines(file)
    with opened(file) as source:
        return await import_source(target, source, total, quiet=quiet)


async def import_source(target: Target, source: IO[bytes], total: int | None, *, quiet: bool) -> Imported:
    """Import lines as they are read, with a progress bar on stderr."""
    from cli.progress import bars

    with bars(quiet=quiet) as progress:
        task = progress.add_task("imported", total=total, note="")
        return await import_lines(target, read_lines(source), lambda done: progress.advance(task, done))


async def import_lines(
    target: Target, lines: Iterable[Line | BadLine], advance: Callable[[int], None] = lambda _: None
) -> Imported:
    """Import lines chunk by chunk; `advance` is told how many were decided."""
    from cli.client import connected

    problems: list[BadLine] = []
    imported = unchanged = 0
    async with connected(target) as client:
        for chunk in chunks_of(lines, problems):
            reply = await client.call(
                "POST", "/v1/questions/import", body=chunk.body, headers={"Content-Type": "application/x-ndjson"}
            )
            answer = reply.json()
            problems += problems_in(chunk.numbers, answer["items"])
            imported += answer["imported"]
            unchanged += answer["unchanged"]
            advance(len(chunk.numbers))
    return Imported(imported, unchanged, sorted(problems))


def chunks_of(lines: Iterable[Line | BadLine], problems: list[BadLine]) -> Iterator[Chunk]:
    """Lines in requests of bounded size; lines that are no JSON objects go to `problems`."""
    numbers: list[int] = []
    bodies: list[bytes] = []
    for line in lines:
        if isinstance(line, BadLine):
            problems.append(line)
            continue
        body = msgspec.json.encode(line.value)
        if bodies and (len(bodies) == MOST_IN_CHUNK or sum(map(len, bodies)) + len(body) > MOST_CHUNK_BYTES):
            yield Chunk(tuple(numbers), b"\n".join(bodies))
            numbers, bodies = [], []
        numbers.append(line.number)
        bodies.append(body)
    if bodies:
        yield Chunk(tuple(numbers), b"\n".join(bodies))


def problems_in(numbers: Sequence[int], items: Sequence[dict[str, Any]]) -> list[BadLine]:
    """The refusals among a chunk's answers, with the lines' numbers in the file."""
    from cli.client import sentence

    return [
        BadLine(number, sentence(item["problem"]))
        for number, item in zip(numbers, items, strict=True)
        if item.get("problem")
    ]


def report(imported: Imported, *, as_json: bool) -> None:
    """The outcome on stdout, the lines with problems on stderr."""
    if as_json:
        print_json({**imported._asdict(), "problems": [problem._asdict() for problem in imported.problems]})
        return
    for problem in imported.problems[:SHOWN_PROBLEMS]:
        click.echo(f"line {problem.number}: {problem.detail}", err=True)
    if len(imported.problems) > SHOWN_PROBLEMS:
        click.echo(f"and {len(imported.problems) - SHOWN_PROBLEMS} more; all of them with --json", err=True)
    click.echo(
        f"{counted(imported.imported, 'question')} imported, {imported.unchanged} already there, "
        f"{counted(len(imported.problems), 'line')} refused"
    )
