"""Curricula on their way in: read as a whole, told of part by part."""

from collections.abc import Mapping
from typing import IO, Any, Final

import click

from cli.output import print_json
from cli.target import Target
from pipeline.errors import FieldProblem, InvalidInput
from pipeline.importing.item import MAX_FILE_BYTES

CURRICULUM: Final = "curriculum"
SHOWN_PROBLEMS: Final = 50


class NotImported(click.ClickException):
    """A file with problems: nothing of it was imported. Its text names each by entry and field."""

    def __init__(self, detail: str, problems: list[tuple[str, str]]) -> None:
        lines = [f"{pointer or 'the file'}: {told}" for pointer, told in problems[:SHOWN_PROBLEMS]]
        more = [f"and {len(problems) - SHOWN_PROBLEMS} more"] if len(problems) > SHOWN_PROBLEMS else []
        super().__init__("\n".join([detail, *lines, *more]))


def read_whole(source: IO[bytes]) -> bytes:
    """The file, as far as anybody would take it."""
    return source.read(MAX_FILE_BYTES + 1)


async def send(target: Target, data: bytes) -> dict[str, Any]:
    """Import a curriculum; what became of each part. Raises `NotImported` with everything wrong in it."""
    from cli.client import Refused, connected

    async with connected(target) as client:
        try:
            reply = await client.call(
                "POST", "/v1/curriculum/import", body=data, headers={"Content-Type": "application/json"}
            )
        except Refused as refused:
            if not refused.errors:
                raise
            raise NotImported(refused.detail, [(one["pointer"], one["detail"]) for one in refused.errors]) from None
    report: dict[str, Any] = reply.json()
    return report


def look_through(data: bytes) -> dict[str, int]:
    """How many things of each part a file has; raises `NotImported` with what is wrong in it whatever the server has.

    Whether what it refers to is there, only the server can tell.
    """
    from pipeline.importing.curriculum import read_curriculum

    file = read_curriculum(data)
    if problems := file.problems_alone():
        refused = InvalidInput(problems)
        raise NotImported(f"{len(refused.problems)} things are wrong in the file.", [*map(_told, refused.problems)])
    return file.counts()


def _told(problem: FieldProblem) -> tuple[str, str]:
    return problem.pointer, problem.detail


def tell_found(counts: Mapping[str, int], *, as_json: bool) -> None:
    """The report of a dry run."""
    if as_json:
        print_json({"format": CURRICULUM, "dry_run": True, **counts})
        return
    for part, count in counts.items():
        click.echo(f"{part}: {count} found")
    click.echo("what they refer to was not checked; importing does that", err=True)


def tell(report: Mapping[str, Any], *, as_json: bool) -> None:
    """What became of each part."""
    if as_json:
        print_json({"format": CURRICULUM, "dry_run": False, **report})
        return
    for part, became in report.items():
        if part != "version":
            click.echo(f"{part}: {', '.join(f'{count} {word}' for word, count in became.items())}")
    click.echo(f"the curriculum is at version {report['version']}")
