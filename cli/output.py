"""What commands print: tables for people, JSON for scripts."""

from collections.abc import Sequence

import click
import msgspec


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
        table.add_row(*[Text(str(cell)) for cell in row])
    console.print(table)


WIDE = 240
