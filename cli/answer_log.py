"""CSV logs of answers, read line by line, with the column names that public logs use."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from math import isfinite
from sys import intern
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from cli.answer_order import Placed, in_order
from cli.ndjson import BadLine
from pipeline.errors import EnvironmentFault
from pipeline.learning.evidence import UNSORTED_TOPIC
from pipeline.learning.replay import LoggedAnswer

HEADERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "user": ("user", "user_id", "userid", "learner", "learner_id", "student", "student_id", "studentid",
                 "anon_student_id"),
        "item": ("item", "item_id", "itemid", "question", "question_id", "questionid", "problem", "problem_id",
                 "problemid", "problem_name", "exercise", "exercise_id"),
        "step": ("step_name",),
        "skill": ("skill", "skills", "skill_id", "skill_name", "topic", "topics", "topic_id", "concept",
                  "concepts", "kc", "kcs", "knowledge_component"),
        "correct": ("correct", "is_correct", "correctness", "outcome", "score", "result", "correct_first_attempt",
                    "first_attempt"),
        "time": ("time", "timestamp", "answered_at", "submitted_at", "created_at", "start_time", "starttime",
                 "datetime", "date", "first_transaction_time", "step_start_time"),
        "choices": ("choices", "options"),
        "difficulty": ("difficulty", "level"),
        "response_time_ms": ("response_time_ms", "duration_ms"),
        "characters": ("characters",),
        "order": (),
    }
)  # fmt: skip
"""The header names that each column goes by, the first one found counting; case, blanks and hyphens don't matter.

A step is a part of the item: in logs of tutors each step of a problem is answered, and is an item by itself. An
order is taken only from a header that was named."""
KC_MODEL: Final = "kc_("
"""How DataShop begins the header of each model of knowledge components: `KC (Default)`."""

NEEDED: Final = ("user", "item", "correct")
HEADER_SHOWN: Final = 200
RIGHT: Final = frozenset({"true", "t", "yes", "y", "right", "correct"})
WRONG: Final = frozenset({"false", "f", "no", "n", "wrong", "incorrect", "hint"})
"""A first attempt that asked for a hint counts as wrong, as is usual with logs of tutoring systems."""

NOTHING: Final = frozenset({"", "na", "nan", "null", "none"})
DELIMITERS: Final = ",\t;"
BETWEEN_SKILLS: Final = ("~~", ";", "|")
SECONDS_END: Final = 1e11
"""Greater times are taken for milliseconds; as seconds this is the year 5138."""

HARDEST: Final = 5


class Doubt(NamedTuple):
    """A cell that may be missing and could not be read: its line counts as if it were."""

    number: int
    detail: str


class Unreadable(ValueError):
    """What is wrong with one cell."""


def read_log(lines: Iterable[str], named: Mapping[str, str]) -> Iterator[LoggedAnswer | BadLine | Doubt]:
    """The answers of a CSV with a header line, bad lines among them; `named` says which header a column has.

    Where it names an order, all lines are read before the first answer comes (`in_order`). Raises `EnvironmentFault`
    where the header is no text or lacks a column that is needed.
    """
    placed: list[Placed] = []
    for line in read_lines(lines, named):
        if isinstance(line, Placed):
            placed.append(line)
        else:
            yield line
    yield from in_order(placed)


def read_lines(lines: Iterable[str], named: Mapping[str, str]) -> Iterator[LoggedAnswer | Placed | BadLine | Doubt]:
    """As `read_log`, but in the file's order, an answer with its place where an order is named."""
    source = iter(lines)
    header = next(source, "")
    if any(char < " " and char not in "\t\r\n" for char in header):
        raise EnvironmentFault("the file is no CSV in UTF-8 or Latin-1; unpack it, or save it as CSV")
    delimiter = max(DELIMITERS, key=header.count)
    places = find_columns(next(csv.reader([header], delimiter=delimiter), []), named)
    rows = csv.reader(source, delimiter=delimiter)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadLine(rows.line_num + 1, str(error))
            continue
        if row:
            yield from read_row(rows.line_num + 1, row, places)


def find_columns(header: Sequence[str], named: Mapping[str, str]) -> dict[str, int]:
    """The place of each column; raises `EnvironmentFault` for all that are needed and not there."""
    known: dict[str, int] = {}
    for place, name in enumerate(header):
        known.setdefault(plain(name), place)
        if plain(name).startswith(KC_MODEL):
            known.setdefault("kc", place)
    wanted = {column: (plain(named[column]),) if column in named else names for column, names in HEADERS.items()}
    found = {column: next((known[name] for name in names if name in known), None) for column, names in wanted.items()}
    places = {column: place for column, place in found.items() if place is not None}
    if lacking := [column for column in wanted if column in {*NEEDED, *named} and column not in places]:
        raise EnvironmentFault(f"{missing(lacking, wanted)}. Its header is: {', '.join(header)[:HEADER_SHOWN]}")
    if "item" in named and "step" not in named:
        places.pop("step", None)  # whoever says what the item is says all of it
    return places


def missing(columns: Iterable[str], wanted: Mapping[str, Sequence[str]]) -> str:
    """What a log lacks, the names that it is known by, and what to do."""
    ways = " and ".join(
        f"no column {first!r}" + (f" (nor {', '.join(others)})" if others else "")
        for first, *others in (wanted[column] for column in columns)
    )
    return f"the log has {ways}; say which header it is by --column {next(iter(columns))}=HEADER"


def plain(name: str) -> str:
    return name.strip().strip('"').lower().replace(" ", "_").replace("-", "_")


def read_row(
    number: int, row: Sequence[str], places: Mapping[str, int]
) -> Iterator[LoggedAnswer | Placed | BadLine | Doubt]:
    """One line as an answer behind the doubts about it, or what is wrong with it."""
    try:
        cells = {column: row[place].strip() for column, place in places.items()}
        user, item, correct = filled(cells, "user"), item_of(cells), correct_of(cells["correct"])
        place = place_of(cells["order"]) if "order" in cells else None
    except IndexError:
        yield BadLine(number, f"has only {len(row)} columns")
        return
    except Unreadable as error:
        yield BadLine(number, str(error))
        return
    extras: dict[str, Any] = {}
    for column, (name, read) in EXTRAS.items():
        if (cell := cells.get(column, "")).lower() in NOTHING:
            continue
        try:
            extras[name] = read(cell)
        except Unreadable as error:
            yield Doubt(number, f"{error}; taken for unknown")
    skills = skills_of(cells.get("skill", ""))
    answer = LoggedAnswer(user=intern(user), item=intern(item), correct=correct, skills=skills, **extras)
    yield answer if place is None else Placed(place, answer)


def filled(cells: Mapping[str, str], column: str) -> str:
    if cells[column].lower() in NOTHING:
        raise Unreadable(f"{column} is empty")
    return cells[column]


def item_of(cells: Mapping[str, str]) -> str:
    """The item, with its step where there is one."""
    step = cells.get("step", "")
    return filled(cells, "item") + (f" / {step}" if step.lower() not in NOTHING else "")


def correct_of(cell: str) -> bool:
    """Whether an answer was right; a partial score is neither, so the line is left out."""
    said = cell.lower()
    if said in RIGHT or number_in(said) == 1.0:
        return True
    if said in WRONG or number_in(said) == 0.0:
        return False
    raise Unreadable(f"correct is {cell[:20]!a}, which is neither right (1) nor wrong (0)")


def place_of(cell: str) -> float:
    """Where an answer stands by the column that orders them: a number, or a time."""
    if (place := number_in(cell)) is not None:
        return place
    try:
        return time_of(cell).timestamp()
    except Unreadable:
        raise Unreadable(f"order is {cell[:40]!a}, which is neither a number nor ISO 8601") from None


@lru_cache(maxsize=1_000)
def number_in(cell: str) -> float | None:
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if isfinite(number) else None


@lru_cache(maxsize=10_000)
def skills_of(cell: str) -> tuple[str, ...]:
    """The skills of a cell, each once; what has none goes to `UNSORTED_TOPIC`, as questions without topics do."""
    for separator in BETWEEN_SKILLS:
        if separator in cell:
            return tuple(dict.fromkeys(filter(None, map(str.strip, cell.split(separator))))) or (UNSORTED_TOPIC,)
    return (UNSORTED_TOPIC,) if cell.lower() in NOTHING else (cell,)


def time_of(cell: str) -> datetime:
    """ISO 8601 (UTC where it names no zone), or seconds or milliseconds since any day."""
    try:
        if cell.replace(".", "", 1).isdigit():
            seconds = float(cell)
            return datetime.fromtimestamp(seconds / 1_000 if seconds > SECONDS_END else seconds, UTC)
        said = datetime.fromisoformat(cell)
    except (ValueError, OverflowError, OSError):
        raise Unreadable(f"time is {cell[:40]!a}, which is neither ISO 8601 nor a number of seconds") from None
    return said.astimezone(UTC) if said.tzinfo else said.replace(tzinfo=UTC)


def whole(column: str, cell: str) -> int:
    if not cell.isdecimal():
        raise Unreadable(f"{column} is {cell[:20]!a}, which is no whole number")
    return int(cell[:9])


def difficulty_of(cell: str) -> int:
    if not cell.isdecimal() or not 1 <= int(cell[:9]) <= HARDEST:
        raise Unreadable(f"difficulty is {cell[:20]!a}, not one of 1 to {HARDEST}")
    return int(cell)


EXTRAS: Final[Mapping[str, tuple[str, Callable[[str], object]]]] = MappingProxyType(
    {
        "time": ("at", time_of),
        "choices": ("choices", partial(whole, "choices")),
        "difficulty": ("difficulty", difficulty_of),
        "response_time_ms": ("response_time_ms", partial(whole, "response_time_ms")),
        "characters": ("characters", partial(whole, "characters")),
    }
)
"""Columns that a log may lack: the field each fills, and how its cells are read."""
