"""`gradeline queues`: what waits, runs and is dead in each stage."""

import asyncio
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cli.output import print_json, print_table
from cli.target import Target, client_options, find_target

if TYPE_CHECKING:
    from rich.table import Table

WATCH_SECONDS: Final = 1.0
COLUMNS: Final = ("queue", "ready", "running", "scheduled", "dead", "oldest ready", "in/min", "out/min", "")


@click.command()
@click.option("--watch", is_flag=True, help="Show it again every second, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array, with --watch one on each line.")
@client_options
def queues(watch: bool, as_json: bool, url: str | None, api_key: str | None, home: Path | None) -> None:
    """Show the queues of all stages.

    Needs an operator's key.

    \b
    Example:
      gradeline queues --watch
    """
    target = find_target(url, api_key, home, operator=True)
    if not watch:
        show(asyncio.run(fetch(target)), as_json=as_json)
        return
    with suppress(KeyboardInterrupt):  # it is how watching ends
        asyncio.run(live(target) if sys.stdout.isatty() and not as_json else stream(target, as_json=as_json))


async def fetch(target: Target) -> list[dict[str, Any]]:
    """The queues as they are now."""
    from cli.client import connected

    async with connected(target) as client:
        items: list[dict[str, Any]] = (await client.get("/v1/ops/queues"))["items"]
        return items


def show(items: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json(items)
    else:
        print_table(COLUMNS, [row(item) for item in items])


async def stream(target: Target, *, as_json: bool) -> None:
    """A line of JSON or a table a second, one below the other, each written out at once."""
    while True:
        show(await fetch(target), as_json=as_json)
        sys.stdout.flush()
        await asyncio.sleep(WATCH_SECONDS)


async def live(target: Target) -> None:
    """A table that is drawn again in place."""
    from rich.live import Live

    with Live(auto_refresh=False) as screen:
        while True:
            screen.update(table(await fetch(target)), refresh=True)
            await asyncio.sleep(WATCH_SECONDS)


def table(items: list[dict[str, Any]]) -> "Table":
    """The queues as a table with the time of day."""
    from rich.table import Table

    drawn = Table(*COLUMNS, title=time.strftime("%H:%M:%S"), title_justify="left", box=None)
    for item in items:
        drawn.add_row(*row(item))
    return drawn


def row(item: dict[str, Any]) -> list[str]:
    """One queue."""
    return [
        item["name"],
        *(str(item[name]) for name in ("ready", "running", "scheduled", "dead")),
        number(item["oldest_ready_seconds"], ".1f", " s"),
        number(item["in_per_minute"], "g"),
        number(item["out_per_minute"], "g"),
        "paused" if item["paused"] else "",
    ]


def number(value: float | None, form: str, unit: str = "") -> str:
    """A number that may be unknown."""
    return "" if value is None else f"{value:{form}}{unit}"
