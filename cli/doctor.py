"""`gradeline doctor`: what is right and what is wrong with an installation, and what to do about it."""

import asyncio
from pathlib import Path

import click
import msgspec

from cli.checkup import Finding, Level, checkup
from cli.output import print_json, print_table
from cli.place import home_option


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A JSON array of findings.")
@home_option
def doctor(as_json: bool, home: Path | None) -> None:
    """Check the installation and say what to do.

    It looks at settings, servers, schema, providers, disk and clock. Exits with 1 if something keeps
    Gradeline from working.

    \b
    Example:
      gradeline doctor --json
    """
    findings = asyncio.run(checkup(home))
    if as_json:
        print_json([msgspec.to_builtins(finding) for finding in findings])
    else:
        print_table(["", "what", "found", "what to do"], [row(finding) for finding in findings])
    if any(finding.level is Level.FAIL for finding in findings):
        click.get_current_context().exit(1)


def row(finding: Finding) -> list[str]:
    return [finding.level, finding.subject, finding.found, finding.advice]
