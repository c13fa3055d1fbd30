# ruff: noqa: INP001  a script beside the page it writes, not a package
"""Writes docs/settings.md from the fields of `pipeline.settings.Settings`: `python -m docs.settings`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args, get_origin

import msgspec

from pipeline.settings import CLIENT_VARIABLES, Settings, variable_of

PAGE: Final = Path(__file__).with_suffix(".md")

HEAD: Final = """\
# Settings

Written by `python -m docs.settings` from `pipeline/settings.py`; do not edit.

Settings are environment variables. They are read once, when a process starts. A `GRADELINE_` variable that
is unknown, or whose value is bad, stops the process with a line that names it. An empty value counts as
unset.

| variable | default | meaning |
|---|---|---|
"""

CLIENT_MEANING: Final = {
    "GRADELINE_URL": "Address of the server that client commands talk to; unset: the one running under home.",
    "GRADELINE_API_KEY": "Key that client commands use; unset: the one in the home's `connection.json`.",
    "GRADELINE_TEST_DATA": "Folder of real answers that some tests read; without it they are skipped.",
}

CLIENT_HEAD: Final = """
## For clients and tests

Servers and workers accept these and do not use them, so that one environment can serve both.

| variable | meaning |
|---|---|
"""


def page() -> str:
    """The whole of docs/settings.md."""
    rows = (f"| `{variable_of(f.name)}` | {_default(f)} | {_meaning(f)} |\n" for f in msgspec.structs.fields(Settings))
    clients = (f"| `{name}` | {CLIENT_MEANING[name]} |\n" for name in sorted(CLIENT_VARIABLES))
    return "".join([HEAD, *rows, CLIENT_HEAD, *clients])


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default is None:
        return "unset"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


def _meaning(field: msgspec.structs.FieldInfo) -> str:
    choices = ", ".join(f"`{choice}`" for choice in _choices(field.type))
    meaning = " ".join(_descriptions(field.type))
    return (f"{meaning} One of {choices}." if choices else meaning).replace("|", "\\|")


def _descriptions(kind: Any) -> Iterator[str]:
    yield from (meta.description for meta in get_args(kind)[1:] if meta.description)


def _choices(kind: Any) -> tuple[Any, ...]:
    inner = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    return get_args(inner) if get_origin(inner) is Literal else ()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
