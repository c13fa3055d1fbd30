"""Moodle XML: a `quiz` of `question` elements, with categories between them.

The format is described at https://docs.moodle.org/en/Moodle_XML_format.
"""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

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
    ordering_key,
    shown_choices,
    text_key,
    true_false_key,
)
from pipeline.importing.markup import plain_html
from pipeline.importing.moodle_cloze import cloze
from pipeline.importing.placing import category_parts, placed
from pipeline.importing.xml_tree import Node, read_xml

_MARKUP_FORMATS: Final = frozenset({"", "html", "moodle_auto_format", "0", "1"})
_ANY_NUMBER: Final = "*"


def read_moodle(data: bytes) -> Iterator[Found | Left]:
    """Every question in order; raises `Unreadable` for XML that cannot be read."""
    category: tuple[str, ...] = ()
    for number, node in enumerate(read_xml(data).elements("question"), start=1):
        if node.attributes.get("type") == "category":
            category = category_parts(node.text("category", "text"))
        else:
            yield _item(f"question {number} (line {node.line})", node, category)


def _item(where: str, node: Node, category: tuple[str, ...]) -> Found | Left:
    notes: list[str] = []
    try:
        fields = _question(node, category, notes)
    except NotTakenError as reason:
        return Left(where, str(reason))
    return Found(where, fields, tuple(notes), node.text("idnumber"), node.text("name", "text"), category)


def _question(node: Node, category: tuple[str, ...], notes: list[str]) -> Document:
    kind = node.attributes.get("type", "")
    reader = _READERS.get(kind)
    if reader is None:
        raise NotTakenError(f"a question of the type {kind[:40]!r} has no counterpart here")
    fields: Document = {"prompt": formatted(node.first("questiontext"), notes)}
    fields |= reader(node, fields["prompt"], notes)
    points = node.text("defaultgrade")
    if points and number_of(points) > 0:
        fields["points"] = number_of(points)
    fields["explanation"] = "\n".join(filter(None, _explanations(node, notes)))
    if any(node.elements("hint")):
        notes.append("hints were not taken")
    tags = [tag.text() for tag in (node.first("tags") or node).elements("tag")]
    return placed(fields, category, tags, notes)


def formatted(node: Node | None, notes: list[str]) -> str:
    """The text of an element with a `text` inside, by its format; files beside it are named."""
    if node is None:
        return ""
    notes += [f"the file {file.attributes.get('name', '')[:60]} was not taken" for file in node.elements("file")]
    source = node.text("text")
    if node.attributes.get("format", "") not in _MARKUP_FORMATS or ("<" not in source and "&" not in source):
        return source
    plain = plain_html(source)
    notes += plain.lost
    return plain.text


def _explanations(node: Node, notes: list[str]) -> Iterator[str]:
    """General feedback, and that on right answers; the rest has no place and is told of."""
    yield formatted(node.first("generalfeedback"), notes)
    for answer in node.elements("answer"):
        feedback = formatted(answer.first("feedback"), notes)
        if feedback and _share(answer) >= 1:
            yield feedback
        elif feedback:
            notes.append("feedback on wrong answers was not taken")


def _share(answer: Node) -> float:
    return number_of(answer.attributes.get("fraction") or "0") / 100


def _multichoice(node: Node, _prompt: str, notes: list[str]) -> Document:
    choices = [Choice(formatted(answer, notes), _share(answer)) for answer in node.elements("answer")]
    return choice_key(choices, notes, several=node.text("single").lower() in ("false", "0"))


def _truefalse(node: Node, _prompt: str, _notes: list[str]) -> Document:
    for answer in node.elements("answer"):
        if _share(answer) >= 1:
            return true_false_key(answer.text("text").lower() == "true")
    raise NotTakenError("neither true nor false is right")


def _shortanswer(node: Node, _prompt: str, notes: list[str]) -> Document:
    wordings = [Wording(answer.text("text"), _share(answer)) for answer in node.elements("answer")]
    return text_key(wordings, notes, case_sensitive=node.text("usecase") == "1", wildcards=True)


def _numerical(node: Node, _prompt: str, notes: list[str]) -> Document:
    ranges = [
        Range(number_of(answer.text("text")), abs(number_of(answer.text("tolerance") or "0")), _share(answer))
        for answer in node.elements("answer")
        if answer.text("text") != _ANY_NUMBER
    ]
    return number_key(ranges, notes, _unit(node, notes))


def _unit(node: Node, notes: list[str]) -> str:
    """The unit the numbers are in; others cannot be converted."""
    units = list((node.first("units") or node).elements("unit"))
    base = [unit.text("unit_name") for unit in units if number_of(unit.text("multiplier") or "1") == 1]
    if len(units) > len(base[:1]):
        notes.append("further units were not taken: units are not converted here")
    return base[0] if base else ""


def _matching(node: Node, _prompt: str, notes: list[str]) -> Document:
    sides = [
        (formatted(question, notes), Side("", question.text("answer", "text")))
        for question in node.elements("subquestion")
    ]
    pairs = [(left, right) for left, right in sides if left]
    return matching_key(pairs, [right for left, right in sides if not left], notes)


def _ordering(node: Node, _prompt: str, notes: list[str]) -> Document:
    return ordering_key([formatted(answer, notes) for answer in node.elements("answer")])


def _essay(node: Node, _prompt: str, notes: list[str]) -> Document:
    return essay_key(formatted(node.first("graderinfo"), notes))


def _cloze(_node: Node, prompt: str, notes: list[str]) -> Document:
    return cloze(prompt, notes)


def _gaps(node: Node, prompt: str, _notes: list[str]) -> Document:
    """`[[2]]` in the text is a gap for the second of the words given."""
    words = [word.text("text") for tag in ("selectoption", "dragbox") for word in node.elements(tag)]
    parts = prompt.split("[[")
    blanks: list[Document] = []
    shown = [parts[0]]
    for part in parts[1:]:
        number, closed, rest = part.partition("]]")
        if not (closed and number.isdecimal() and len(number) < 4 and 0 < int(number) <= len(words)):  # noqa: PLR2004 - no text has a thousand gaps
            raise NotTakenError("a gap names no word")
        blanks.append({"accepted": [words[int(number) - 1]]})
        shown += [BLANK, rest]
    choices = shown_choices(list(dict.fromkeys(words))).removeprefix(BLANK).strip()
    return {"type": "cloze", "prompt": f"{''.join(shown)}\n{choices}", "answer": {"blanks": blanks}}


_READERS: Final[Mapping[str, Callable[[Node, str, list[str]], Document]]] = MappingProxyType(
    {
        "multichoice": _multichoice,
        "truefalse": _truefalse,
        "shortanswer": _shortanswer,
        "numerical": _numerical,
        "matching": _matching,
        "ordering": _ordering,
        "essay": _essay,
        "cloze": _cloze,
        "multianswer": _cloze,
        "gapselect": _gaps,
        "ddwtos": _gaps,
    }
)
