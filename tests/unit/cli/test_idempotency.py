from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cli.idempotency import LineKeys

LINES: st.SearchStrategy[list[dict[str, Any]]] = st.lists(
    st.dictionaries(st.sampled_from("ab"), st.integers(0, 2), max_size=2), max_size=8
)


def keys_of(lines: list[dict[str, Any]]) -> list[str]:
    keys = LineKeys()
    return [keys.key_of(line) for line in lines]


@given(LINES)
def test_the_same_file_again_has_the_same_keys(lines: list[dict[str, Any]]) -> None:
    assert keys_of(lines) == keys_of(lines)


@given(LINES)
def test_every_line_has_a_key_of_its_own_even_where_lines_are_equal(lines: list[dict[str, Any]]) -> None:
    keys = keys_of(lines)
    assert len(set(keys)) == len(keys)


@given(LINES)
def test_lines_added_at_the_end_change_no_key(lines: list[dict[str, Any]]) -> None:
    assert keys_of([*lines, {"c": 1}])[: len(lines)] == keys_of(lines)


def test_spacing_and_order_of_names_do_not_matter_and_values_do() -> None:
    one, other, different = {"a": 1, "b": [2]}, {"b": [2], "a": 1}, {"a": 1, "b": [3]}
    assert keys_of([one]) == keys_of([other])
    assert keys_of([one]) != keys_of([different])


def test_a_line_may_bring_its_own_key() -> None:
    assert keys_of([{"idempotency_key": "mine"}]) == ["mine"]


def test_a_key_fits_into_the_header() -> None:
    assert all(len(key) <= 255 and key.isascii() for key in keys_of([{"a": "é" * 10_000}]))
