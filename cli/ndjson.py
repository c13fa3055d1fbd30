"""Files of one JSON object per line, read as they are needed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import click
import msgspec

from pipeline.errors import EnvironmentFault

BLANKS: Final = b" \t\r\n"
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
STANDARD_INPUT: Final = Path("-")


class Line(NamedTuple):
    """One object of the file; lines count from 1, blank ones too."""

    number: int
    value: dict[str, Any]


class BadLine(NamedTuple):
    """A line that cannot be sent at all, or that the server refused."""

    number: int
    detail: str


def read_lines(file: IO[bytes]) -> Iterator[Line | BadLine]:
    """The lines that are not blank; raises `EnvironmentFault` where the first shows a file of another kind."""
    first = True
    for number, raw in enumerate(file, start=1):
        text = raw.removeprefix(BYTE_ORDER_MARK) if number == 1 else raw
        if text.strip(BLANKS):
            if first:
                refuse_other_kind(text.strip(BLANKS))
            first = False
            yield read_line(number, text)


def refuse_other_kind(line: bytes) -> None:
    """Raise `EnvironmentFault` for a JSON array or what is no text: one sentence, not one for each of its lines."""
    if line.startswith(b"["):
        raise EnvironmentFault("the file is a JSON array; write one object per line, for example with `jq -c '.[]'`")
    if not line.startswith(b"{") and not is_text(line):
        raise EnvironmentFault("the file is no text in UTF-8; one JSON object per line is expected")


def is_text(line: bytes) -> bool:
    try:
        return "\0" not in line.decode()
    except UnicodeDecodeError:
        return False


def read_line(number: int, raw: bytes) -> Line | BadLine:
    """One line as an object, or what is wrong with it."""
    try:
        value = msgspec.json.decode(raw)
    except UnicodeDecodeError as error:
        return BadLine(number, f"not valid UTF-8 at byte {error.start}")
    except RecursionError:
        return BadLine(number, "nested too deeply")
    except msgspec.DecodeError as error:
        return BadLine(number, f"not valid JSON: {error}")
    return Line(number, value) if isinstance(value, dict) else BadLine(number, "not a JSON object")


def count_lines(path: Path) -> int | None:
    """How many lines are not blank; None for standard input, which can be read only once."""
    if path == STANDARD_INPUT:
        return None
    with opened(path) as file:
        return sum(1 for raw in file if raw.strip(BLANKS))


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The file, or standard input for `-`; raises `EnvironmentFault` where it cannot be read."""
    try:
        with click.open_file(str(path), "rb") as file:
            yield file
    except OSError as error:
        raise EnvironmentFault(f"cannot read {path}: {error.strerror}") from None
