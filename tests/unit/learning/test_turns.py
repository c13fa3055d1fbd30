"""Whoever has something left gets a turn."""

from collections.abc import Iterator
from itertools import islice

from pipeline.learning.turns import by_turns


def test_each_source_gives_one_in_turn_until_all_are_empty() -> None:
    assert list(by_turns([iter("abc"), iter(""), iter("1"), iter("xy")])) == ["a", "1", "x", "b", "y", "c"]


def test_where_few_take_turns_the_next_takes_over_from_who_is_empty() -> None:
    sources = [iter("ab"), iter(""), iter(""), iter("1234"), iter("xy")]
    assert "".join(by_turns(sources, 2)) == "a1b2x3y4"
    assert "".join(by_turns([iter("ab"), iter("12")], 1)) == "ab12"


def test_nothing_is_asked_of_a_source_before_its_turn() -> None:
    asked = []

    def source(name: str) -> Iterator[str]:
        while True:
            asked.append(name)
            yield name

    assert list(islice(by_turns([source("a"), source("b")]), 1)) == ["a"]
    assert asked == ["a"]
