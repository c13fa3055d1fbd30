"""GIFT, the plain text of Moodle: questions between blank lines, answers in braces.

The format is described at https://docs.moodle.org/en/GIFT_format.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from pipeline.importing.item import Document, Found, Left, NotTakenError
from pipeline.importing.key import (
    BLANK,
    Choice,
    Range,
    Side,
    Wording,
    choice_key,
    essay_key,
    matching_key,
    number_key,
    number_of,
    text_key,
    true_false_key,
)
from pipeline.importing.markup import Plain, plain_html
from pipeline.importing.placing import category_parts, placed

_SPECIAL: Final = "\\~=#{}:n"
_HIDDEN: Final = "\ue000\ue001\ue002\ue003\ue004\ue005\ue006\ue007"
"""What escaped characters are while the text is taken apart: private characters, one for each."""

_SHOW: Final = str.maketrans(dict(zip(_HIDDEN, "\\~=#{}:\n", strict=True)))
_ESCAPED: Final = re.compile(r"\\([\\~=#{}:n])")
_FORMAT: Final = re.compile(r"\s*\[(html|moodle|plain|markdown)\]")
_WEIGHT: Final = re.compile(r"\s*%(-?\d{1,3}(?:\.\d{1,10})?)%")
_MARKER: Final = re.compile(r"([=~])")
_COMMENT_FACT: Final = re.compile(r"\[(id|tag):([^\]]*)\]")
_TRUTHS: Final = {"T": True, "TRUE": True, "F": False, "FALSE": False}


class Block(NamedTuple):
    """Lines between blank ones; `line` is the first one's number."""

    line: int
    lines: tuple[str, ...]


class Reply(NamedTuple):
    """One answer in braces, its marker (`=` or `~`), share and feedback."""

    marker: str
    share: float | None
    text: str
    feedback: str


def read_gift(text: str) -> Iterator[Found | Left]:
    """Every question in order; categories hold until the next one."""
    category: tuple[str, ...] = ()
    for block in blocks_of(text):
        lines: list[str] = []
        comments: list[str] = []
        for line in block.lines:
            stripped = line.strip()
            if stripped.startswith("$CATEGORY:"):
                category = category_parts(stripped.removeprefix("$CATEGORY:"))
            elif stripped.startswith("//"):
                comments.append(stripped)
            else:
                lines.append(line)
        if lines:
            yield _item(f"line {block.line}", "\n".join(lines), "\n".join(comments), category)


def blocks_of(text: str) -> Iterator[Block]:
    lines: list[str] = []
    start = 1
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        if line.strip():
            start = start if lines else number
            lines.append(line)
        elif lines:
            yield Block(start, tuple(lines))
            lines = []


def _item(where: str, source: str, comments: str, category: tuple[str, ...]) -> Found | Left:
    try:
        return _question(where, source, comments, category)
    except NotTakenError as reason:
        return Left(where, str(reason))


def _question(where: str, source: str, comments: str, category: tuple[str, ...]) -> Found:
    name, rest = _titled(_ESCAPED.sub(lambda match: _HIDDEN[_SPECIAL.index(match[1])], source.strip()))
    before, answers, after = _parted(rest)
    style, before = _styled(before)
    notes: list[str] = []
    body, _, general = answers.partition("####")
    fields, feedback = _answered(body.strip(), style, notes)
    prompt = _text(f"{before}{BLANK}{after}" if after.strip() else before, style, notes)
    explained = "\n".join(filter(None, (_text(general, style, notes), feedback)))
    facts = _COMMENT_FACT.findall(comments)
    told = next((value.strip() for kind, value in facts if kind == "id"), "")
    tags = [value.strip() for kind, value in facts if kind == "tag"]
    fields = placed({**fields, "prompt": prompt, "explanation": explained}, category, tags, notes)
    return Found(where, fields, tuple(notes), told, name.translate(_SHOW), category)


def _titled(source: str) -> tuple[str, str]:
    if not source.startswith("::"):
        return "", source
    name, closed, rest = source[2:].partition("::")
    if not closed:
        raise NotTakenError("its title does not end with ::")
    return name.strip(), rest


def _parted(source: str) -> tuple[str, str, str]:
    """What stands before the braces, in them and behind them."""
    before, opened, rest = source.partition("{")
    if not opened:
        raise NotTakenError("it has no answer in braces: a description, not a question")
    answers, closed, after = rest.partition("}")
    if not closed:
        raise NotTakenError("its answer has no closing brace before the next blank line")
    if "{" in after:
        raise NotTakenError("it has more than one answer in braces")
    return before, answers, after


def _styled(before: str) -> tuple[str, str]:
    match = _FORMAT.match(before)
    return (match[1], before[match.end() :]) if match else ("moodle", before)


def _text(source: str, style: str, notes: list[str]) -> str:
    """A text of the question, as plain text. Moodle's own style is HTML in which line breaks count."""
    inner_style, source = _styled(source)
    style = inner_style if inner_style != "moodle" else style
    shown = source.translate(_SHOW).strip()
    if style in ("plain", "markdown") or "<" not in shown:
        return "\n".join(line.strip() for line in shown.split("\n"))
    plain: Plain = plain_html(shown if style == "html" else shown.replace("\n", "<br>"))
    notes += plain.lost
    return plain.text


def _answered(body: str, style: str, notes: list[str]) -> tuple[Document, str]:
    """Type, key and options, and what the feedback on the right answer says."""
    if not body:
        return essay_key(), ""
    if body.startswith("#"):
        return _numeric(body[1:], style, notes)
    truth, _, feedback = body.partition("#")
    if truth.strip().upper() in _TRUTHS:
        value = _TRUTHS[truth.strip().upper()]
        parts = feedback.split("#")  # the first is shown to who was wrong, the second to who was right
        return true_false_key(value), _text(parts[-1], style, notes)
    replies = _replies(body, style, notes)
    right = [reply.feedback for reply in replies if reply.marker == "=" and reply.feedback]
    if any(reply.feedback for reply in replies if reply.marker == "~"):
        notes.append("feedback on wrong answers was not taken")
    return _picked_or_written(replies, notes), "\n".join(right)


def _replies(body: str, style: str, notes: list[str]) -> list[Reply]:
    head, *rest = _MARKER.split(body)
    if head.strip():
        raise NotTakenError("its answer starts with neither = nor ~")
    return [_reply(marker, text, style, notes) for marker, text in zip(rest[::2], rest[1::2], strict=True)]


def _reply(marker: str, source: str, style: str, notes: list[str]) -> Reply:
    weight = _WEIGHT.match(source)
    share = float(weight[1]) / 100 if weight else None
    text, _, feedback = source[weight.end() if weight else 0 :].partition("#")
    return Reply(marker, share, _text(text, style, notes), _text(feedback, style, notes))


def _picked_or_written(replies: list[Reply], notes: list[str]) -> Document:
    if any(reply.marker == "~" for reply in replies):
        several = not any(reply.marker == "=" for reply in replies)
        return choice_key([Choice(reply.text, _share(reply)) for reply in replies], notes, several=several)
    if all("->" in reply.text for reply in replies):
        return _matched(replies, notes)
    wordings = [Wording(reply.text, _share(reply)) for reply in replies]
    return text_key(wordings, notes, case_sensitive=False, wildcards=True)


def _share(reply: Reply) -> float:
    if reply.share is not None:
        return reply.share
    return 1.0 if reply.marker == "=" else 0.0


def _matched(replies: list[Reply], notes: list[str]) -> Document:
    sides = [(left.strip(), right.strip()) for left, _, right in (reply.text.partition("->") for reply in replies)]
    pairs = [(left, Side("", right)) for left, right in sides if left]
    return matching_key(pairs, [Side("", right) for left, right in sides if not left], notes)


def _numeric(body: str, style: str, notes: list[str]) -> tuple[Document, str]:
    if not _MARKER.search(body):
        number, _, feedback = body.partition("#")
        return number_key([_range(number, 1.0)], notes), _text(feedback, style, notes)
    replies = [reply for reply in _replies(body, style, notes) if reply.marker == "="]
    ranges = [_range(reply.text, _share(reply)) for reply in replies]
    return number_key(ranges, notes), "\n".join(reply.feedback for reply in replies if reply.feedback)


def _range(text: str, share: float) -> Range:
    """`5:0.1` is 5 with a tolerance, `4.9..5.1` a range."""
    low, dots, high = text.partition("..")
    if dots:
        least, most = number_of(low), number_of(high)
        return Range(round((least + most) / 2, 12), round(abs(most - least) / 2, 12), share)
    value, _, tolerance = text.partition(":")
    return Range(number_of(value), abs(number_of(tolerance)) if tolerance.strip() else 0.0, share)
