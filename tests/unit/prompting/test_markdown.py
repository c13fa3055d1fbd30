"""Feedback is plain text or a safe bit of Markdown; a real renderer (markdown-it) is the judge where there is one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pipeline.prompting.markdown import tame

# As permissive as pages get: raw HTML, tables, and the addresses that a parser finds between angle brackets.
RENDER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render
SAFE_TAGS = {"p", "strong", "em", "code", "pre", "ul", "ol", "li", "br", "s"}

KEPT = [
    "Plain words.",
    "**bold** and *italic* and `code`",
    "- one\n- two\n  - three",
    "1. first\n2. second",
    "Look:\n\n```python\nfor i in range(3):\n    print(i)\n```\n\nthen go on.",
    "3 < 4 and 5 > 4",
    "a[0] + b[1:2]",
    "ends with a line\nand another",
]

CHANGED = [
    ("[click](https://evil.example)", "[click] (https://evil.example)"),
    ("![x](/pixel.png)", "! [x] (/pixel.png)"),
    ("[a][b]\n\n[b]: /logout", "[a] [b]\n\n[b] : /logout"),
    ("<script>alert(1)</script>", "< script>alert(1)< /script>"),
    ("<img src=x onerror=alert(1)>", "< img src=x onerror=alert(1)>"),
    ("<https://evil.example>", "< https://evil.example>"),
    ("<!-- hidden -->", "< !-- hidden -->"),
    ("`vector<int>`", "`vector< int>`"),
    ("# Heading\ntext", "Heading\ntext"),
    ("Heading\n===\ntext", "Heading\n\ntext"),
    ("a\n\n---\n\nb", "a\n\nb"),
    ("| a | b |\n|---|---|\n| 1 | 2 |", "| a | b |\n\n| 1 | 2 |"),
    ("> quoted words", "quoted words"),
    ("> 5 is too much", "› 5 is too much"),
    ("- # deep", "- deep"),
    ("- > # deep", "- › # deep"),
    ("a\n-", "a"),
    ("```mermaid\nclick A href\n```", "```\nclick A href\n```"),
    ("```python\nprint(1)", "```python\nprint(1)\n```"),
    ("a\u202eb\u200bc", "abc"),
    ("\\href{javascript:x}{y}", "href{javascript:x}{y}"),
    ("a\r\n\r\n\r\n\r\nb", "a\n\nb"),
]


@pytest.mark.parametrize("text", KEPT)
def test_the_safe_bit_of_markdown_stays_as_it_is(text: str) -> None:
    assert tame(text) == text


@pytest.mark.parametrize(("text", "tamed"), CHANGED)
def test_everything_else_becomes_plain_words(text: str, tamed: str) -> None:
    assert tame(text) == tamed


PIECES = [
    *"<>[]()!`~*_#-=|:\\&/\"' \n\tabx1",
    "```",
    "~~~",
    "![",
    "](",
    "]:",
    "<a ",
    "\n\n",
    "    ",
    "\u200b",
    "\u202e",
]
MARKUP = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


@given(MARKUP)
def test_whatever_is_written_renders_to_safe_tags_alone(text: str) -> None:
    assert tags_of(RENDER(tame(text))) <= SAFE_TAGS


@given(MARKUP)
def test_nothing_tamed_begins_a_link_an_image_or_a_tag(text: str) -> None:
    tamed = tame(text)

    assert "](" not in tamed
    assert "][" not in tamed
    assert "![" not in tamed
    assert not any(tamed[at + 1 : at + 2].isalpha() for at, sign in enumerate(tamed) if sign == "<" and tamed.isascii())


@given(st.text(max_size=200))
def test_taming_what_is_tame_changes_nothing(text: str) -> None:
    assert tame(tame(text)) == tame(text)


@given(MARKUP, MARKUP)
def test_tame_parts_stay_tame_when_they_are_put_together(one: str, other: str) -> None:
    """Sections are checked one by one and shown as paragraphs of one text."""
    assert tags_of(RENDER(f"{tame(one)}\n\n{tame(other)}")) <= SAFE_TAGS


def tags_of(page: str) -> set[str]:
    """The elements of a rendered page; a `<` of the text is `&lt;` in it."""
    return {piece.split(">")[0].split()[0].strip("/") for piece in page.split("<")[1:]}
