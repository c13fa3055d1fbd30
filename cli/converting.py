"""Question banks of other systems on their way in: read on this machine, told of item by item."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import click

from cli.ndjson import STANDARD_INPUT, BadLine, Line, opened
from cli.output import counted, print_json
from pipeline.importing.item import MAX_FILE_BYTES, Item, Left, Taken

NDJSON: Final = "ndjson"
_LOOKED_AT_BYTES: Final = 80_000


class Conversion(NamedTuple):
    """What was read from a file: its format, and its items in order."""

    format: str
    items: Sequence[Item]

    def lines(self) -> Iterator[Line | BadLine]:
        """The questions to send, numbered by their places among the items."""
        for number, item in enumerate(self.items, start=1):
            yield Line(number, dict(item.question)) if isinstance(item, Taken) else BadLine(number, item.reason)


class Outcome(NamedTuple):
    """What became of the items: counts of the server, and the refusals by the number of the item."""

    imported: int
    unchanged: int
    refused: dict[int, str]


@contextmanager
def readable(file: Path) -> Iterator[IO[bytes]]:
    """The file's bytes; standard input is kept, so that it can be looked at before it is read."""
    with opened(file) as source:
        yield io.BytesIO(source.read()) if file == STANDARD_INPUT else source


def format_of(source: IO[bytes], file: Path) -> str:
    """The format that the first bytes show; the source is at its start again afterwards."""
    from pipeline.importing.reading import detect

    start = source.read(_LOOKED_AT_BYTES)
    source.seek(0)
    return detect(start, file.name)


def convert(source: IO[bytes], file: Path) -> Conversion:
    """Read everything there is; raises `Unreadable` for the file as a whole."""
    from pipeline.importing.reading import detect, read_questions

    data = source.read(MAX_FILE_BYTES + 1)
    return Conversion(detect(data, file.name), list(read_questions(data, file.name)))


def unsent(conversion: Conversion) -> Outcome:
    """The outcome of reading alone."""
    refused = {number: item.reason for number, item in enumerate(conversion.items, start=1) if isinstance(item, Left)}
    return Outcome(0, 0, refused)


def tell(conversion: Conversion, outcome: Outcome, *, dry_run: bool, as_json: bool) -> None:
    """The report: every item with what was taken of it and what not."""
    if as_json:
        items = [entry(item, outcome.refused.get(number)) for number, item in enumerate(conversion.items, start=1)]
        figures = {"imported": outcome.imported, "unchanged": outcome.unchanged, "refused": len(outcome.refused)}
        print_json({"format": conversion.format, "dry_run": dry_run, **figures, "items": items})
        return
    for number, item in enumerate(conversion.items, start=1):
        click.echo("\n".join(sentences(item, outcome.refused.get(number))))
    done = (
        f"{counted(len(conversion.items) - len(outcome.refused), 'question')} could be imported"
        if dry_run
        else f"{counted(outcome.imported, 'question')} imported, {outcome.unchanged} already there"
    )
    click.echo(f"{conversion.format}: {done}, {len(outcome.refused)} refused")


def entry(item: Item, refusal: str | None) -> dict[str, Any]:
    """One item of the report as JSON."""
    if isinstance(item, Left):
        return {"where": item.where, "taken": False, "reason": item.reason}
    if refusal is not None:
        return {"where": item.where, "taken": False, "reason": refusal}
    question = item.question
    notes = list(item.notes)
    return {"where": item.where, "taken": True, "id": question["id"], "type": question["type"], "notes": notes}


def sentences(item: Item, refusal: str | None) -> list[str]:
    """One item of the report in words; texts from the file show no control characters."""
    if isinstance(item, Left):
        return [harmless(f"{item.where}: refused: {item.reason}")]
    if refusal is not None:
        return [harmless(f"{item.where}: refused: {refusal}")]
    head = f"{item.where}: {item.question['type']} {item.question['id']}"
    return [harmless(head), *(harmless(f"    {note}") for note in item.notes)]


def harmless(text: str) -> str:
    return "".join(character if character.isprintable() else "�" for character in text)
