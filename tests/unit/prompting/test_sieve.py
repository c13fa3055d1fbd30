"""A sieve never holds back what one of its patterns would find."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.prompting import harm, marking, praise
from pipeline.prompting.sieve import Sieve, loosened

WORDS = st.text(st.sampled_from("abcdefghij .,!?:/'\"-()[]|&$0123456789\n"), max_size=40)
LISTS = {
    "right": praise.RIGHT.patterns,
    "perfect": praise.PERFECT.patterns,
    "wrong": praise.WRONG.patterns,
    "points": marking.POINTS.patterns,
    "links": (harm.LINK,),
    "code": (harm.REACHING_CODE, harm.COMMAND),
}
PATTERNS = [(name, one) for name, patterns in LISTS.items() for one in patterns if one.pattern.isascii()]
SIEVES = {name: Sieve(patterns) for name, patterns in LISTS.items()}


@pytest.mark.parametrize(("name", "pattern"), PATTERNS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(st.data())
def test_what_a_pattern_finds_passes_its_sieve(name: str, pattern: re.Pattern[str], data: st.DataObject) -> None:
    written = data.draw(st.from_regex(pattern.pattern, alphabet=st.characters(max_codepoint=126)))
    text = data.draw(WORDS) + written + data.draw(WORDS)
    for seen in (text, written, text.replace("\n", " "), written.replace("\n", " ").strip()):
        assert SIEVES[name].passes(seen) or not any(one.search(seen) for one in LISTS[name])


@given(st.text(max_size=60))
def test_what_is_beyond_printable_ascii_always_passes(text: str) -> None:
    assert Sieve([re.compile("never found")]).passes(f"{text}ä")


def test_what_none_of_them_could_be_in_does_not_pass() -> None:
    assert not SIEVES["right"].passes("a loop hands out one item after the other")


@pytest.mark.parametrize(
    ("pattern", "looser"),
    [
        (r"a(?!b(?:c|[)])\))d", "ad"),
        (r"(?<=[(\]])x(?=\()", "x"),
        (r"(?P<one>a|b)(?P=one)", r"(?:a|b)[^\n]+"),
        (r"[^](?=]\(\?!", r"[^](?=]\(\?!"),
    ],
)
def test_a_looser_pattern_is_without_assertions_and_references(pattern: str, looser: str) -> None:
    assert loosened(pattern) == looser
