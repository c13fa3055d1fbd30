"""`gradeline doctor`: what is right and what is wrong with an installation, and what to do about it."""

import asyncio
from pathlib import Path

import click
import msgspec

from cli.checkup import checkup
from cli.finding import Finding, Level
from cli.output import print_json, print_table
from cli.place import home_option


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A JSON array of findings.")
@click.option(
    "--ping-ai",
    is_flag=True,
    help="Also ask every configured model one tiny thing, which costs a small fraction of a US cent each.",
)
@home_option
def doctor(as_json: bool, ping_ai: bool, home: Path | None) -> None:
    """Check the installation and say what to do.

    It looks at settings, servers, schema, models, disk and clock. Exits with 1 if something keeps
    Gradeline from working. No model is asked anything without --ping-ai.

    \b
    Example:
      gradeline doctor --json
      gradeline doctor --ping-ai
    """
    findings = asyncio.run(checkup(home, ping_ai=ping_ai))
    if as_json:
        print_json([msgspec.to_builtins(finding) for finding in findings])
    else:
        print_table(["", "what", "found", "what to do"], [row(finding) for finding in findings])
    if any(finding.level is Level.FAIL for finding in findings):
        click.get_current_context().exit(1)


def row(finding: Finding) -> list[str]:
    return [finding.level, finding.subject, finding.found, finding.advice]
