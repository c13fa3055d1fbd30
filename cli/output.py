"""What commands print: tables for people, JSON for scripts."""

import re
from collections.abc import Sequence
from typing import Final

import click
import msgspec

CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What commands a terminal, or turns the direction of a line; all but newline and tab."""


def harmless(text: str, *, in_line: bool = False) -> str:
    """What somebody wrote, as it may go to a terminal: controls are shown in place of taking effect.

    `in_line`, newlines and tabs are, too.
    """
    shown = CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text.replace("\r\n", "\n"))
    return shown.replace("\n", "\\n").replace("\t", "\\t") if in_line else shown


def print_json(value: object) -> None:
    """One JSON document on one line."""
    click.echo(msgspec.json.encode(value).decode())


def counted(number: int, thing: str) -> str:
    """So many things of a kind, such as `1 line` or `2 lines`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str | None = None) -> None:
    """A table; into a pipe as wide as its content, so that nothing is cut."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDE)
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*[Text(harmless(str(cell))) for cell in row])
    console.print(table)


WIDE = 240
