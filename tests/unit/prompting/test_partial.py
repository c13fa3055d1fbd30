"""Reading a reply while it is written: the same sections, however it is cut, and silence where it is none."""

import json
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.prompting.partial import PartialReply, Section

TEXTS = st.text(st.characters(codec="utf-8"))
REPLIES = st.dictionaries(TEXTS, st.none() | TEXTS, max_size=6)
REPLY = '{"right": "a \\"q\\" \\ud83d\\ude00 \\u00e9\\n", "misconception": null, "summary": ""}'
SECTIONS = [("right", 'a "q" 😀 é\n'), ("misconception", ""), ("summary", "")]


def read(*pieces: str) -> list[Section]:
    reply = PartialReply()
    return [section for piece in pieces for section in reply.feed(piece)]


@given(
    reply=REPLIES,
    opening=st.sampled_from(["", "\n  ", "```json\n", " ``` ", "\ufeff"]),
    ascii_only=st.booleans(),
    indent=st.none() | st.integers(0, 3),
    cuts=st.lists(st.integers(0, 400)),
)
def test_any_cutting_of_a_reply_tells_what_the_whole_says(
    reply: dict[str, str | None], opening: str, ascii_only: bool, indent: int | None, cuts: list[int]
) -> None:
    """Every section, once, in order; escapes and surrogate pairs may lie across a cut."""
    text = opening + json.dumps(reply, ensure_ascii=ascii_only, indent=indent) + "\n```"
    places = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    pieces = [text[start:end] for start, end in pairwise(places)]
    assert read(*pieces) == [(name, value or "") for name, value in reply.items()]


def test_a_section_is_told_with_the_quote_that_ends_it() -> None:
    """Neither before, nor with the next one."""
    reply = PartialReply()
    told = [(place, section) for place, character in enumerate(REPLY) for section in reply.feed(character)]
    assert [section for _, section in told] == SECTIONS
    assert REPLY[told[0][0]] == '"'
    assert REPLY[: told[0][0]].endswith("\\n")
    assert reply.over


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Sure! Here is the JSON: {", []),
        ("x" * 101, []),
        ("[1]", []),
        ('{"a": 1, "b": "late"}', []),
        ('{"a": {"b": "deep"}}', []),
        ('{"a": nil, "b": "late"}', []),
        ('{"a": "first", "a": "second"}', [("a", "first")]),
        ('{"a": "raw\nbreak", "b": 1}', [("a", "raw\nbreak")]),
        ('{"a": "\\ud800", "b": "late"}', []),
        ('{"a": "\\q", "b": "late"}', []),
        ('{"a": "done"; "b": "late"}', [("a", "done")]),
        ('{"a": "done"} {"b": "another"}', [("a", "done")]),
        ('{"a": "cut off', []),
        ("{}", []),
    ],
)
def test_what_is_no_reply_of_ours_tells_nothing_more(text: str, told: list[Section]) -> None:
    assert read(text) == read(*text) == told


@given(st.text())
def test_no_text_is_a_surprise(text: str) -> None:
    """Whatever it opens with, and cut between any two characters."""
    assert read(text) == read(*text)
    assert read('{"a": "' + text) == read(*('{"a": "' + text))


@given(st.text(st.sampled_from('{}":,\\nul` \nu0d8')))
def test_what_is_told_of_a_whole_that_parses_is_what_it_says(text: str) -> None:
    try:
        whole = msgspec.json.decode(text, type=dict[str, str | None])
    except (msgspec.DecodeError, UnicodeError):
        return
    if len(read(text)) == len(whole):
        assert dict(read(text)) == {name: value or "" for name, value in whole.items()}
