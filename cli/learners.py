"""`gradeline learners`: what was learnt, worked out again from history; in the database directly."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from cli.output import print_json
from cli.place import home_option, local_settings
from pipeline.errors import EnvironmentFault

if TYPE_CHECKING:
    from pipeline.service.rebuilding import Findings, Rebuilder


@click.group()
def learners() -> None:
    """Check or rebuild what was learnt of learners and questions.

    \b
    Example:
      gradeline learners rebuild --check
    """


@learners.command()
@click.option("--tenant", help="Only this tenant.  [default: all of them]")
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 where anything differs.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as one JSON object.")
@home_option
def rebuild(tenant: str | None, check: bool, as_json: bool, home: Path | None) -> None:
    """Work out again, from all answers in their order, skills, ratings of questions, and figures.

    What differs from what is stored is told and, without --check, replaced. Work goes on meanwhile; only
    where something is replaced, submissions of that tenant wait for their advice for a moment. A rebuild
    belongs after an upgrade whose changelog names a new formula, and finds nothing at any other time.

    \b
    Example:
      gradeline learners rebuild --tenant default
    """
    found = asyncio.run(rebuilt(home, tenant, check=check))
    if as_json:
        print_json({name: msgspec.to_builtins(findings) for name, findings in found.items()})
    else:
        for name, findings in found.items():
            show(name, findings, check=check)
    if check and any(findings.differences for findings in found.values()):
        raise click.exceptions.Exit(1)


async def rebuilt(home: Path | None, tenant: str | None, *, check: bool) -> "dict[str, Findings]":
    """What was found of each tenant, by name."""
    from pipeline import bootstrap

    settings = local_settings(home)
    await bootstrap.check_schema(settings)
    async with bootstrap.open_rebuilder(settings) as rebuilder:
        tenants = await rebuilder.tenants()
        if tenant is not None and tenant not in tenants:
            raise EnvironmentFault(f"there is no tenant {tenant!r}")
        wanted = {name: id_ for name, id_ in tenants.items() if tenant in (None, name)}
        return {name: await look(rebuilder, id_, check=check) for name, id_ in wanted.items()}


async def look(rebuilder: "Rebuilder", tenant_id: int, *, check: bool) -> "Findings":
    return await (rebuilder.check(tenant_id) if check else rebuilder.rebuild(tenant_id))


def show(name: str, findings: "Findings", *, check: bool) -> None:
    """What was found of one tenant, for people."""
    for difference in findings.first:
        click.echo(f"{name}: {difference}")
    if more := findings.differences - len(findings.first):
        click.echo(f"{name}: and {more} more")
    verdict = "all as stored"
    if findings.differences:
        verdict = f"{findings.differences} differences" + ("" if check else ", replaced")
    click.echo(
        f"{name}: {findings.submissions} submissions, {findings.learners} learners, {findings.questions} questions:"
        f" {verdict}"
    )
