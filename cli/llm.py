"""`gradeline llm`: how language models do, what they cost, and what a tenant allows them."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from cli.llm_tables import ARM_COLUMNS, PROVIDER_COLUMNS, alert_lines, arm_row, budget_line, head_line, provider_row
from cli.output import print_json, print_table
from cli.target import Target, client_options, find_target

if TYPE_CHECKING:
    from rich.console import Group

    from cli.client import Client

PATH: Final = "/v1/ops/llm"
POLICY_PATH: Final = f"{PATH}/policy"
WATCH_SECONDS: Final = 2.0
MOST_MINUTES: Final = 1440
MOST_USD: Final = 1_000_000
DEFAULT: Final = "default"


class DailyUsd(click.ParamType[float | str]):
    """Dollars a day, or the installation's word on it."""

    name = "usd"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | str:
        """A number of dollars, or `default`."""
        if value == DEFAULT:
            return DEFAULT
        try:
            dollars = float(value)
        except ValueError:
            dollars = -1.0
        if not 0 <= dollars <= MOST_USD:
            self.fail(f"must be `default` or dollars from 0 to {MOST_USD:,}", param, ctx)
        return dollars


@click.group(invoke_without_command=True)
@click.option(
    "--minutes", type=click.IntRange(1, MOST_MINUTES), default=60, show_default=True, help="Calls begun since then."
)
@click.option("--watch", is_flag=True, help="Show it again every two seconds, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with --watch one on each line.")
@client_options
@click.pass_context
def llm(
    context: click.Context,
    minutes: int,
    watch: bool,
    as_json: bool,
    url: str | None,
    api_key: str | None,
    home: Path | None,
) -> None:
    """Show how language models do: alerts, money, providers, experiments.

    Needs an operator's key. Breakers are the installation's, all other figures those of the key's tenant. Cache figures
    are today's (UTC).

    \b
    Example:
      gradeline llm --minutes 15 --watch
    """
    if context.invoked_subcommand is not None:
        refuse_misplaced(context)
        return
    target = find_target(url, api_key, home, operator=True)
    if not watch:
        show(asyncio.run(fetch(target, minutes)), as_json=as_json)
        return
    with suppress(KeyboardInterrupt):  # it is how watching ends
        asyncio.run(stream(target, minutes) if as_json else live(target, minutes))


def refuse_misplaced(context: click.Context) -> None:
    """Options before a subcommand would be lost."""
    if any(context.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in context.params):
        context.fail(f"name the options behind `{context.invoked_subcommand}`")


async def fetch(target: Target, minutes: int) -> dict[str, Any]:
    """The overview as it is now."""
    from cli.client import connected

    async with connected(target) as client:
        overview: dict[str, Any] = await client.get(PATH, minutes=minutes)
        return overview


def show(overview: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(overview)
        return
    for line in (*head_line(overview), *alert_lines(overview), budget_line(overview)):
        click.echo(line)
    if overview["providers"]:
        click.echo()
        print_table(PROVIDER_COLUMNS, [provider_row(one) for one in overview["providers"]])
    if overview["arms"]:
        click.echo()
        print_table(ARM_COLUMNS, [arm_row(one) for one in overview["arms"]])


async def stream(target: Target, minutes: int) -> None:
    """A line of JSON every two seconds."""
    while True:
        print_json(await fetch(target, minutes))
        await asyncio.sleep(WATCH_SECONDS)


async def live(target: Target, minutes: int) -> None:
    """Tables that are drawn again in place."""
    from rich.live import Live

    with Live(auto_refresh=False) as screen:
        while True:
            screen.update(drawn(await fetch(target, minutes)), refresh=True)
            await asyncio.sleep(WATCH_SECONDS)


def drawn(overview: Mapping[str, Any]) -> "Group":
    """The overview with the time of day."""
    from rich.console import Group, RenderableType
    from rich.table import Table
    from rich.text import Text

    lines = (time.strftime("%H:%M:%S"), *head_line(overview), *alert_lines(overview), budget_line(overview), "")
    parts: list[RenderableType] = [Text(line) for line in lines]
    for columns, rows in (
        (PROVIDER_COLUMNS, [provider_row(one) for one in overview["providers"]]),
        (ARM_COLUMNS, [arm_row(one) for one in overview["arms"]]),
    ):
        table = Table(*columns, box=None, pad_edge=False)
        for row in rows:
            table.add_row(*[Text(cell) for cell in row])
        parts += [table, Text("")] if rows else []
    return Group(*parts)


@llm.command()
@click.option("--mode", type=click.Choice(["cloud", "local", "off"]), help="Which models may see the tenant's answers.")
@click.option("--tenant-daily-usd", type=DailyUsd(), help="What all may cost, in US dollars a day (UTC).")
@click.option("--learner-daily-usd", type=DailyUsd(), help="What each learner may cost, in US dollars a day (UTC).")
@click.option("--batch/--no-batch", default=None, help="Whether low priority may wait for half the price.")
@click.option("--reason", help="Why; for the audit log.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")
@client_options
def policy(
    as_json: bool, url: str | None, api_key: str | None, home: Path | None, reason: str | None, **named: Any
) -> None:
    """Show what the tenant allows language models, or change what is named of it.

    What is not named stays as it is shown. `default` as a number of dollars means: as the installation has it.

    \b
    Example:
      gradeline llm policy --mode local --reason "no consent for a cloud yet"
      gradeline llm policy --tenant-daily-usd 20 --learner-daily-usd default
    """
    target = find_target(url, api_key, home, operator=True)
    changes = {name: None if value == DEFAULT else value for name, value in named.items() if value is not None}
    found = asyncio.run(changed(target, changes, reason))
    if as_json:
        print_json(found)
        return
    for line in policy_lines(found):
        click.echo(line)


async def changed(target: Target, changes: Mapping[str, Any], reason: str | None) -> dict[str, Any]:
    """The policy that holds, after these changes."""
    from cli.client import connected

    async with connected(target) as client:
        policy: dict[str, Any] = await client.get(POLICY_PATH)
        if changes:
            policy = await replaced(client, {**policy, **changes, **({"reason": reason} if reason else {})})
    return policy


async def replaced(client: "Client", policy: Mapping[str, Any]) -> dict[str, Any]:
    """The policy that holds in the place of the one before."""
    import msgspec

    headers = {"Content-Type": "application/json"}
    reply = await client.call("PUT", POLICY_PATH, body=msgspec.json.encode(policy), headers=headers)
    found: dict[str, Any] = reply.json()
    return found


def policy_lines(policy: Mapping[str, Any]) -> list[str]:
    """A policy in words."""
    seen_by = {"cloud": "all models", "local": "models in the operator's house only", "off": "no model"}
    limits = {name: policy[f"{name}_daily_usd"] for name in ("tenant", "learner")}
    return [
        f"mode     {policy['mode']}: answers are seen by {seen_by[policy['mode']]}",
        *[f"{name:8} {'no limit' if usd is None else f'{usd:g} US dollars a day'}" for name, usd in limits.items()],
        f"batch    {'low priority may wait for half the price' if policy['batch'] else 'nothing waits'}",
    ]
