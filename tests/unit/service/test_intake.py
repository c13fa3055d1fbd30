"""Reading a hand-in's JSON."""

import pytest

from pipeline.errors import InvalidInput
from pipeline.service.intake import MOST_LEVELS, decode_json, is_nested_deeper


@pytest.mark.parametrize(("opening", "closing"), [('{"a":', "}"), ("[", "]")])
def test_a_body_may_be_nested_so_deep_and_no_deeper(opening: str, closing: str) -> None:
    deepest = opening * MOST_LEVELS + "1" + closing * MOST_LEVELS
    assert decode_json(deepest.encode())
    with pytest.raises(InvalidInput):
        decode_json(f"[{deepest}]".encode())


def test_breadth_is_not_depth() -> None:
    assert not is_nested_deeper([[1, 2], {"a": [3]}, [[4]]] * 1000, 3)
    assert is_nested_deeper([1, [2, [3]]], 2)
