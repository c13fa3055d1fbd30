"""A model's summary of a text: its shape, and what of it may be shown."""

from types import MappingProxyType
from typing import Any, Final

import msgspec

from pipeline.exchange import JsonSchema
from pipeline.generation.assignment import Judged
from pipeline.generation.reading import json_object
from pipeline.prompting.generating import Form
from pipeline.prompting.harm import imitates_fence, leads_away
from pipeline.prompting.markdown import tame

TITLE_CHARS: Final = 300
SUMMARY_CHARS: Final = 20_000
POINT_CHARS: Final = 1_000
POINTS: Final = 20

SCHEMA: Final[JsonSchema] = MappingProxyType(
    {
        "type": "object",
        "properties": {
            "title": {"type": "string", "description": "What the text is about, in at most twelve words."},
            "summary": {"type": "string", "description": "The summary, as running text."},
            "points": {"type": "array", "items": {"type": "string"}, "description": "The things to remember."},
        },
        "required": ["title", "summary", "points"],
        "additionalProperties": False,
    }
)
FORM: Final = Form("summary_reply", SCHEMA)


class Summary(msgspec.Struct, frozen=True):
    """A summary as it may be shown: safe Markdown."""

    title: str
    summary: str
    points: tuple[str, ...]


def accept(reply: str) -> Summary | str:
    """The summary in a reply, made harmless; or what is wrong with it, in words for the model that quote nobody."""
    found = json_object(reply)
    if found is None:
        return "It is not one JSON object."
    try:
        written = msgspec.convert(found, Summary)
    except msgspec.ValidationError:
        return "It has not the fields title, summary and points, the last a list of strings."
    return problem_with(written) or safe(written)


def problem_with(written: Summary) -> str | None:
    """Why a summary cannot be used, if so."""
    texts = (written.title, written.summary, *written.points)
    if not written.summary.strip() or not written.title.strip():
        return "The title or the summary is empty."
    if len(written.summary) > SUMMARY_CHARS or len(written.title) > TITLE_CHARS or len(written.points) > POINTS:
        return "It is far longer than asked for."
    if any(leads_away(text) for text in texts):
        return "It holds web or e-mail addresses."
    if any(imitates_fence(text) for text in texts):
        return "It repeats lines that surround the data."
    return None


def safe(written: Summary) -> Summary:
    """The same with nothing unseen, no HTML, links or images."""
    points = tuple(tame(point)[:POINT_CHARS] for point in written.points)
    return Summary(tame(written.title), tame(written.summary), tuple(point for point in points if point))


def judge(reply: str) -> Judged:
    """Whether a reply will do."""
    accepted = accept(reply)
    return Judged(accepted) if isinstance(accepted, str) else Judged()


def document(summary: Summary) -> dict[str, Any]:
    """The summary as it is stored."""
    built: dict[str, Any] = msgspec.to_builtins(summary)
    return built
