"""A model's reply on one answer: its shape, and what of it may be shown.

`accept` trusts nothing: not the form, not what is quoted, not the tone. It never raises, whatever the text is, and
the same text and facts give the same result, so a reply that was kept is checked again when it is used again.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec

from pipeline.exchange import JsonSchema
from pipeline.prompting.facts import AnswerFacts
from pipeline.prompting.section import SECTION_CHARS, SECTIONS, Flaw, Section, judged

SCHEMA_NAME: Final = "answer_reply"
REPLY_CHARS: Final = 20_000
MOST_CANDIDATES: Final = 20

_MEANINGS: Final[Mapping[Section, str]] = MappingProxyType(
    {
        Section.RIGHT: "What in the answer is right; empty if nothing is.",
        Section.QUOTATION: "A few words of the answer, copied character by character; empty if there are none.",
        Section.MISCONCEPTION: "What was probably misunderstood, and why it does not hold; empty if nothing was.",
        Section.NEXT_STEP: "One small thing to do next.",
        Section.SUMMARY: "The gist of it in one sentence.",
    }
)

ANSWER_REPLY: Final[JsonSchema] = MappingProxyType(
    {
        "type": "object",
        "properties": {
            section.value: {"type": "string", "description": f"{meaning} At most {SECTION_CHARS[section]} characters."}
            for section, meaning in _MEANINGS.items()
        },
        "required": [section.value for section in SECTIONS],
        "additionalProperties": False,
    }
)
"""The reply as a JSON schema, in the subset that all providers enforce: lengths are told in words and checked here."""


class AnswerReply(msgspec.Struct, frozen=True):
    """What a model says of one answer; any part may be empty. The order is that in which it is shown."""

    right: str
    quotation: str
    misconception: str
    next_step: str
    summary: str


class Accepted(msgspec.Struct, frozen=True):
    """What may be shown of a reply: safe text, "" for what was empty or dropped.

    `cut_quotations` counts quotations that do not occur in the answer; `dropped` counts sections by what was wrong
    with them, those quotations included.
    """

    sections: AnswerReply
    cut_quotations: int = 0
    dropped: Mapping[str, int] = msgspec.field(default_factory=dict)


class Rejection(NamedTuple):
    """A reply of which nothing can be shown. `problem` can be said to the model: it quotes nobody."""

    problem: str


def accept(text: str, facts: AnswerFacts) -> Accepted | Rejection:
    """What of a reply may be shown to the learner, after all checks."""
    reply = read_reply(text)
    if isinstance(reply, Rejection):
        return reply
    verdicts = {section: judged(section, getattr(reply, section), facts) for section in SECTIONS}
    flaws = Counter(verdict for verdict in verdicts.values() if isinstance(verdict, Flaw))
    shown = {section.value: "" if isinstance(verdict, Flaw) else verdict for section, verdict in verdicts.items()}
    if not any(shown[section] for section in (Section.RIGHT, Section.MISCONCEPTION, Section.NEXT_STEP)):
        return Rejection(_problem(flaws))
    return Accepted(
        sections=AnswerReply(**shown),
        cut_quotations=flaws[Flaw.NOT_QUOTED],
        dropped={flaw.value: count for flaw, count in flaws.items()},
    )


def read_reply(text: str) -> AnswerReply | Rejection:
    """The reply in a text, which may stand in a code block or among other words."""
    if len(text) > REPLY_CHARS:
        return Rejection(
            f"The reply is longer than {REPLY_CHARS:,} characters. Reply briefly, with the JSON object alone."
        )
    found = tuple(_objects(text))
    if not found:
        return Rejection("The reply holds no JSON object. Reply with the JSON object alone.")
    for value in found:
        if not _missing(value):
            return AnswerReply(**{section.value: value[section.value] or "" for section in SECTIONS})
    return Rejection(
        f"These fields are missing or are not strings: {', '.join(_missing(found[0]))}. "
        "Reply with one JSON object that has all fields, each of them a string."
    )


def _missing(value: Mapping[str, Any]) -> list[str]:
    return [section.value for section in SECTIONS if not isinstance(value.get(section.value, 0), str | None)]


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in a text, first the whole of it, then from each of the first braces on."""
    decoder = json.JSONDecoder(strict=False)
    start = text.find("{")
    for _ in range(MOST_CANDIDATES):
        if start < 0:
            return
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            yield value
        start = text.find("{", end)


_ADVICE: Final[Mapping[Flaw, str]] = MappingProxyType(
    {
        Flaw.TOO_LONG: "Sections were too long.",
        Flaw.LINK: "It held web or e-mail addresses, which are not allowed, in code neither.",
        Flaw.CODE: "It held code that has nothing to do with the question, or too much of it.",
        Flaw.FENCE: "It repeated lines that surround data.",
        Flaw.POINTS: "It spoke of points, marks or grades.",
        Flaw.PRAISE: "It called an answer right that was not judged correct.",
        Flaw.CONTRADICTION: "It called an answer wrong that was not judged so.",
        Flaw.SOLUTION: "It gave away the solution, which is hidden from the learner.",
        Flaw.LANGUAGE: "It was not in the language asked for.",
    }
)


def _problem(flaws: Mapping[Flaw, int]) -> str:
    told = [advice for flaw, advice in _ADVICE.items() if flaws.get(flaw)]
    return " ".join([*(told or ["It said nothing."]), "Write all of it anew, following the rules, as one JSON object."])
