# ruff: noqa: INP001  a script beside the page it writes, not a package
"""Writes docs/cli.md from the commands' own help: `python -m docs.cli`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from cli.main import COMMANDS, main

PAGE: Final = Path(__file__).with_suffix(".md")
WIDTH: Final = 100

HEAD: Final = """\
# Command line

Written by `python -m docs.cli` from the commands' own help; do not edit.

Client commands (`import`, `questions`, `submit`, `queues`, `dead`, `llm`, `bench`) find the server by `--url` and
`--api-key`, by `GRADELINE_URL` and `GRADELINE_API_KEY`, or by the `connection.json` that a running `gradeline up`
keeps in its home. Commands that work on the servers directly (`api`, `worker`, `migrate`, `keys`, `learners`,
`doctor`) read the [settings](settings.md); what those leave open is taken from the same file.

Exit codes: 0 done, 1 failed, 2 wrong usage. An error is one line on stderr. With `--json` stdout carries JSON
alone; progress always goes to stderr.
"""


def page() -> str:
    """The whole of docs/cli.md."""
    root = click.Context(main, info_name="gradeline", help_option_names=["-h", "--help"])
    return "".join([HEAD, *(section(name, command, root) for name, command in commands(root))])


def commands(root: click.Context) -> Iterator[tuple[str, click.Command]]:
    """All commands in order, those of a group behind it."""
    for name in COMMANDS:
        command = main.get_command(root, name)
        if command is not None:
            yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", one) for inner, one in command.commands.items())


def section(name: str, command: click.Command, root: click.Context) -> str:
    """One command as its `--help` shows it."""
    context = click.Context(command, info_name=name, parent=root, terminal_width=WIDTH, max_content_width=WIDTH)
    return f"\n## gradeline {name}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
