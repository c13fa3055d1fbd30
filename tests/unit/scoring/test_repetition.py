"""Fields that stand in an object twice."""

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pipeline.scoring.repetition import fields_in, repeated_fields

Written = list[tuple[str, Any]]
"""An object as it is written, in which a field may stand twice."""

NAMES = st.sampled_from(["a", "b", ":", 'a":', "\\", "\u00e9", "/", "~"])
LEAVES = st.one_of(st.none(), st.integers(), st.text(alphabet=':"\\a ', max_size=4))
WRITTEN = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: ("array", items)),
        st.lists(st.tuples(NAMES, inner), max_size=4).map(lambda fields: ("object", fields)),
    ),
    max_leaves=12,
)


def text_of(written: Any, blank: str = "") -> str:
    """The JSON of it, with blanks around each colon."""
    match written:
        case ("array", items):
            return f"[{','.join(text_of(item, blank) for item in items)}]"
        case ("object", fields):
            inner = (f"{json.dumps(name)}{blank}:{blank}{text_of(item, blank)}" for name, item in fields)
            return f"{{{','.join(inner)}}}"
        case _:
            return json.dumps(written)


def places_of(written: Any, pointer: str = "") -> list[str]:
    """Where a field stands again."""
    match written:
        case ("array", items):
            return [place for index, item in enumerate(items) for place in places_of(item, f"{pointer}/{index}")]
        case ("object", fields):
            found, seen = list[str](), set[str]()
            for name, item in fields:
                place = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
                found += [place] if name in seen else []
                found += places_of(item, place)
                seen.add(name)
            return found
        case _:
            return []


def repeated_in(text: str) -> list[str]:
    body = text.encode()
    return sorted(problem.pointer for problem in repeated_fields(body, fields_in(msgspec.json.decode(body))))


@given(WRITTEN, st.sampled_from(["", " ", "\n\t "]))
def test_every_repeated_field_is_found_and_no_other(written: Any, blank: str) -> None:
    assert repeated_in(text_of(written, blank)) == sorted(places_of(written))


def test_a_name_is_the_same_however_it_is_spelt() -> None:
    assert repeated_in('{"a": 1, "\\u0061": 2}') == ["/a"]
    assert repeated_in('{"a": {"x": 1}, "b": [{"x": 1}, {"x": 1}], "A": 1}') == []


def test_what_only_the_second_reader_minds_is_no_problem() -> None:
    """Numbers beyond all limits of Python, and bodies nested deeper than it can follow."""
    assert list(repeated_fields(b'{"a": 1' + b"0" * 5_000 + b', "b": 1e99999}', 0)) == []
    deep = b"[" * 100_000 + b'":"' + b"]" * 100_000
    assert [problem.pointer for problem in repeated_fields(deep, 0)] == [""]
