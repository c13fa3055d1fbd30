"""The page about curricula: its example is one, and its tables name every field and every reason."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.curriculum.entry import MOST, PARTS, TYPES, Kind
from pipeline.curriculum.model import NO_CURRICULUM
from pipeline.curriculum.path import recommend_path
from pipeline.curriculum.reason import ReasonCode
from pipeline.curriculum.standing import NOT_BEGUN
from pipeline.importing.curriculum import read_curriculum

PAGE = Path(__file__).resolve().parents[3] / "docs" / "curriculum.md"
TEXT = PAGE.read_text(encoding="utf-8")
EVERYWHERE = {"id", "title", "translations"}


def example() -> bytes:
    """The example on the page, as somebody would save it."""
    [found] = re.findall(r"^```json\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    return str(found).encode()


def test_the_example_is_a_whole_category_by_itself() -> None:
    whole = read_curriculum(example()).applied_to(NO_CURRICULUM)
    path = recommend_path(whole, "flutter_apps", lambda _: NOT_BEGUN, hours_per_week=10, industry="fintech")
    steps = [step.module.id for step in path.steps]
    assert steps == ["dart_basics", "dart_async", "flutter_widgets", "flutter_payments"]


def test_the_example_shows_every_part() -> None:
    assert list(json.loads(example())) == [*PARTS.values(), "questions"]


@pytest.mark.parametrize("kind", Kind)
def test_the_table_of_a_kind_names_its_fields_and_says_which_are_required(kind: Kind) -> None:
    table = TEXT.partition(f"| `{PARTS[kind]}` | | |\n")[2].partition("\n\n")[0]
    rows: dict[str, str] = {}
    for names, given in re.findall(r"^\| (`[^|]+`) \| ([^|]+) \|", table, re.MULTILINE):
        rows |= dict.fromkeys(re.findall(r"`(\w+)`", names), given)
    fields: dict[str, Any] = {field.name: field for field in msgspec.structs.fields(TYPES[kind])}
    assert rows.keys() | EVERYWHERE == fields.keys()
    required = {name for name, field in fields.items() if field.required} - EVERYWHERE
    assert {name for name, given in rows.items() if given == "required"} == required


def test_the_limits_are_those_of_the_code() -> None:
    said = re.findall(r"(\d[\d,]*)\s(categories|tracks|modules|resources|projects)\b", TEXT)
    assert {part: int(number.replace(",", "")) for number, part in said} == {
        PARTS[kind]: most for kind, most in MOST.items()
    }


def test_every_reason_is_explained() -> None:
    table = TEXT.partition("| `code` |")[2]
    assert sorted(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == sorted(ReasonCode)
