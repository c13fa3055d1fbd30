"""`gradeline dead`: look at dead letters, try them again, or give them up."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import click

from cli.output import counted, print_json, print_table
from cli.process import STAGES
from cli.target import Target, client_options, find_target

IDS_AT_ONCE: Final = 1_000
PAGE: Final = 100
SHOWN_CHARS: Final = 100

Function = TypeVar("Function", bound=Callable[..., Any])


class Wanted(NamedTuple):
    """Which dead letters: by ids, or by what they have in common."""

    ids: tuple[str, ...]
    stage: str | None
    error: str | None

    @property
    def filter(self) -> dict[str, str]:
        """The filter as the API takes it."""
        given = {"stage": self.stage, "error": self.error}
        return {name: value for name, value in given.items() if value is not None}

    def bodies(self, reason: str) -> list[dict[str, Any]]:
        """The requests that name them all."""
        if not self.ids:
            return [{"reason": reason, "filter": self.filter}]
        starts = range(0, len(self.ids), IDS_AT_ONCE)
        return [{"reason": reason, "ids": self.ids[start : start + IDS_AT_ONCE]} for start in starts]


def filter_options(command: Function) -> Function:
    """The options that narrow down dead letters."""
    stage = click.option("--stage", type=click.Choice(STAGES), help="Only of this stage.")
    error = click.option("--error", help="Only those whose last error contains this text.")
    return stage(error(command))


def choice_options(command: Function) -> Function:
    """The options that say which dead letters something is done with, and why."""
    ids = click.argument("ids", nargs=-1, metavar="[ID]...")
    everything = click.option(
        "--all", "everything", is_flag=True, help="All of them, where neither ids nor a filter is given."
    )
    reason = click.option("--reason", required=True, help="Why; it is kept in the audit log.")
    as_json = click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object.")
    return ids(filter_options(everything(reason(as_json(client_options(command))))))


@click.group()
def dead() -> None:
    """List, retry and discard dead letters.

    A stage is dead when it failed in every attempt it was allowed. All of it needs an operator's key.

    \b
    Example:
      gradeline dead list --stage feedback
    """


@dead.command("list")
@filter_options
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Most to show, newest first.")
@click.option("--json", "as_json", is_flag=True, help="A JSON array with every attempt's error and traceback.")
@client_options
def list_(
    stage: str | None,
    error: str | None,
    limit: int,
    as_json: bool,
    url: str | None,
    api_key: str | None,
    home: Path | None,
) -> None:
    """List dead letters with their last error, the newest first.

    \b
    Example:
      gradeline dead list --error "timed out" --json
    """
    target = find_target(url, api_key, home, operator=True)
    items = asyncio.run(fetch(target, Wanted((), stage, error), limit))
    if as_json:
        print_json(items)
    elif not items:
        click.echo("no dead letters", err=True)
    else:
        print_table(["submission", "stage", "learner", "died", "attempts", "error"], [row(item) for item in items])


@dead.command()
@choice_options
def retry(ids: tuple[str, ...], **options: Any) -> None:
    """Give dead stages another round of attempts; what other stages reached is kept.

    \b
    Example:
      gradeline dead retry --stage feedback --reason "the provider is back"
    """
    act("retry", ids, **options)


@dead.command()
@choice_options
def discard(ids: tuple[str, ...], **options: Any) -> None:
    """Cancel submissions with a dead stage; what they have reached is kept.

    \b
    Example:
      gradeline dead discard 01890a5d-ac96-774b-bcce-b302099a8057 --reason "handed in by mistake"
    """
    act("discard", ids, **options)


def act(
    name: str,
    ids: tuple[str, ...],
    *,
    stage: str | None,
    error: str | None,
    everything: bool,
    reason: str,
    as_json: bool,
    url: str | None,
    api_key: str | None,
    home: Path | None,
) -> None:
    """Do one thing to the dead letters that were named, in one way."""
    wanted = Wanted(ids, stage, error)
    if sum((bool(ids), bool(wanted.filter), everything)) != 1:
        raise click.UsageError("name the dead letters by ids, by --stage and --error, or by --all")
    changed, skipped = asyncio.run(send(find_target(url, api_key, home, operator=True), name, wanted, reason))
    if as_json:
        print_json({"count": len(changed), "ids": changed, "skipped": skipped})
    else:
        click.echo(f"{counted(len(changed), 'submission')}: {name} done")
        for submission_id in skipped:
            click.echo(f"{submission_id} has no dead stage", err=True)
    if skipped:
        click.get_current_context().exit(1)


async def send(target: Target, name: str, wanted: Wanted, reason: str) -> tuple[list[str], list[str]]:
    """Ids that were changed, and ids that had no dead stage. A filter is sent again while it finds more."""
    from cli.client import connected

    changed: list[str] = []
    skipped: list[str] = []
    async with connected(target) as client:
        for body in wanted.bodies(reason):
            more = True
            while more:
                answer = await client.post(f"/v1/ops/dead/{name}", body)
                changed += answer["ids"]
                skipped += answer["skipped"]
                more = answer["more"]
    return changed, skipped


async def fetch(target: Target, wanted: Wanted, limit: int) -> list[dict[str, Any]]:
    """The newest dead letters, page by page."""
    from cli.client import connected

    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    async with connected(target) as client:
        while len(items) < limit:
            page = await client.get("/v1/ops/dead", **wanted.filter, **cursor, limit=min(PAGE, limit - len(items)))
            items += page["items"]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
    return items


def row(item: dict[str, Any]) -> Sequence[str]:
    """One dead letter; its error cut to what a line can show."""
    error = (item["error"] or "").replace("\n", " ")
    return [
        item["submission_id"],
        item["stage"],
        item["learner_id"],
        item["died_at"][:19].replace("T", " "),
        str(len(item["attempts"])),
        error if len(error) <= SHOWN_CHARS else error[: SHOWN_CHARS - 1] + "…",
    ]
