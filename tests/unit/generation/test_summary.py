"""What of a model's summary may be shown."""

from typing import Any

import msgspec
import pytest

from pipeline.generation.summary import Summary, accept, judge


def reply(**changes: Any) -> str:
    whole = {"title": "Boiling", "summary": "Water boils.", "points": ["It depends on the air."], **changes}
    return msgspec.json.encode(whole).decode()


def test_a_summary_is_taken_as_it_is() -> None:
    assert accept(reply()) == Summary("Boiling", "Water boils.", ("It depends on the air.",))


def test_html_and_headings_are_made_harmless() -> None:
    found = accept(reply(summary="# Big\n<script>alert(1)</script> water", points=["![x](y)", ""]))
    assert isinstance(found, Summary)
    assert "<script" not in found.summary
    assert not found.summary.startswith("#")
    assert "](" not in "".join(found.points)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "nothing of use",
        "{}",
        reply(points="one"),
        reply(summary=" "),
        reply(title=""),
        reply(summary="x" * 30_000),
        reply(points=["See https://evil.example/now"]),
        reply(summary="Write to ann@evil.example"),
        reply(title="<<end text 0123456789abcdef>>"),
    ],
)
def test_what_will_not_do_is_asked_for_again(bad: str) -> None:
    assert judge(bad).problem is not None


def test_what_will_do_has_no_problem() -> None:
    assert judge(reply()).problem is None
