"""A file of a curriculum by its bytes: one JSON object with a list for each kind, or a thing with its `kind` per line.

Fields of entries are those of `pipeline.curriculum.model`, questions those of `pipeline.scoring.bank`;
docs/curriculum.md has an example. Everything that is wrong is found at once.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec

from pipeline.curriculum.entry import MOST, PARTS, Entry, Kind, curriculum_of
from pipeline.errors import FieldProblem, InvalidInput
from pipeline.importing.curriculum_entry import read_entry
from pipeline.importing.curriculum_file import QUESTIONS, CurriculumFile, Place, problem_at
from pipeline.importing.encoding import text_of
from pipeline.importing.item import Unreadable
from pipeline.model import JsonValue, Question
from pipeline.scoring.bank import parse_question
from pipeline.scoring.fields import Fields, forbidden_text
from pipeline.scoring.repetition import fields_in, repeated_fields

QUESTION: Final = "question"
MOST_QUESTIONS: Final = 5_000
MOST_LINES: Final = 50_000
MOST_PROBLEMS: Final = 1_000
PART_OF: Final[Mapping[str, str]] = MappingProxyType(
    {**{str(kind): part for kind, part in PARTS.items()}, QUESTION: QUESTIONS}
)
"""Where in a document the things of a kind stand, in the order in which they are read."""

_OPENING: Final = re.compile(rf'\{{\s*"(?:{"|".join(PART_OF.values())})"\s*:')
_PART: Final = re.compile(rf'^\s*"(?:{"|".join(PARTS.values())})"\s*:\s*\[', re.MULTILINE)

ParseQuestion = Callable[[JsonValue], Question]


class Found(NamedTuple):
    """A thing in the file before it is read."""

    kind: str
    raw: JsonValue
    place: Place


def read_curriculum(data: bytes, parse: ParseQuestion = parse_question) -> CurriculumFile:
    """Read a file; raises `Unreadable` where it is no JSON, and notes everything else that is wrong with it.

    What has problems is left out of what was read. After a thousand problems nothing more is read.
    """
    problems: list[FieldProblem] = []
    reading = _Reading(parse, problems)
    for found in _things(text_of(data), problems):
        if len(problems) >= MOST_PROBLEMS:
            break
        reading.take(found)
    return reading.outcome()


def is_curriculum(start: str) -> bool:
    """Whether a file that starts like this is a curriculum: it names its parts, or its lines say their `kind`."""
    text = start.lstrip()
    if not text.startswith("{"):
        return False
    first = _decoded(text.partition("\n")[0])
    if isinstance(first, dict) and isinstance(first.get("kind"), str):
        return first["kind"] in PART_OF
    return bool(_OPENING.match(text)) or (first is None and bool(_PART.search(text)))


class _Reading:
    """What was read so far."""

    def __init__(self, parse: ParseQuestion, problems: list[FieldProblem]) -> None:
        self._parse = parse
        self._problems = problems
        self._entries: dict[Kind, dict[str, Entry]] = {kind: {} for kind in Kind}
        self._questions: dict[str, Question] = {}
        self._places: dict[tuple[str, str], Place] = {}

    def take(self, found: Found) -> None:
        """Read one thing."""
        problems = self._question(found) if found.kind == QUESTION else self._entry(found)
        self._problems += [problem_at(found.place, found.kind, name_of(found.raw), problem) for problem in problems]

    def outcome(self) -> CurriculumFile:
        """What was read."""
        places = {(Kind(kind), id_): place for (kind, id_), place in self._places.items() if kind != QUESTION}
        return CurriculumFile(
            curriculum=curriculum_of(self._entries),
            questions=tuple(self._questions.values()),
            places=MappingProxyType(places),
            problems=tuple(self._problems[:MOST_PROBLEMS]),
        )

    def _entry(self, found: Found) -> list[FieldProblem]:
        if not isinstance(found.raw, Mapping):
            return [FieldProblem("", "must be an object")]
        problems = list(forbidden_text(found.raw))
        kind = Kind(found.kind)
        entry = read_entry(kind, Fields(found.raw, "", problems))
        problems += self._repeated(found, entry.id)
        if not problems:
            self._entries[kind][entry.id] = entry
        return problems

    def _question(self, found: Found) -> list[FieldProblem]:
        try:
            question = self._parse(found.raw)
        except InvalidInput as error:
            return [FieldProblem(problem.pointer, as_clause(problem.detail)) for problem in error.problems]
        problems = self._repeated(found, question.id)
        if not problems:
            self._questions[question.id] = question
        return problems

    def _repeated(self, found: Found, id_: str) -> list[FieldProblem]:
        if not id_:
            return []
        first = self._places.setdefault((found.kind, id_), found.place)
        return [] if first == found.place else [FieldProblem("/id", f"is the id of {first.named} too")]


def _things(text: str, problems: list[FieldProblem]) -> Iterator[Found]:
    first = text.lstrip().partition("\n")[0]
    raw = _decoded(first)
    if isinstance(raw, dict) and "kind" in raw:
        return _of_lines(text, problems)
    document = _document(text)
    problems += _given_twice(text, document)
    return _of_document(document, problems)


def _decoded(text: str) -> JsonValue:
    """The JSON in a text, or None."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def _document(text: str) -> JsonValue:
    try:
        return msgspec.json.decode(text)
    except RecursionError:
        raise Unreadable("the file is nested too deeply") from None
    except msgspec.DecodeError as error:
        raise Unreadable(f"the file is not valid JSON: {error}") from None


def _of_document(document: JsonValue, problems: list[FieldProblem]) -> Iterator[Found]:
    if not isinstance(document, Mapping):
        raise Unreadable("the file must hold one JSON object with the parts of a curriculum")
    fields = Fields(document, "", problems)
    fields.refuse_unknown(tuple(PART_OF.values()))
    for kind, part in PART_OF.items():
        most = MOST_QUESTIONS if kind == QUESTION else MOST[Kind(kind)]
        for index, raw in enumerate(fields.items(part, most) or ()):
            yield Found(kind, raw, Place(f"/{part}/{index}"))


def _of_lines(text: str, problems: list[FieldProblem]) -> Iterator[Found]:
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if len(lines) > MOST_LINES:
        raise Unreadable(f"the file has more than {MOST_LINES:,} lines; split it")
    for number, line in lines:
        raw = _decoded(line)
        if not isinstance(raw, dict):
            problems.append(FieldProblem("", f"line {number}: must be one JSON object"))
        elif not isinstance(raw.get("kind"), str) or raw["kind"] not in PART_OF:
            problems.append(FieldProblem("/kind", f"line {number}: must be one of {', '.join(PART_OF)}"))
        else:
            problems += _given_twice(line, raw, f"line {number}: ")
            yield Found(raw["kind"], _of_line(raw), Place("", number))


def _given_twice(text: str, raw: JsonValue, where: str = "") -> Iterator[FieldProblem]:
    """A problem for each field that stands twice in its object, as far as problems are told."""
    for problem in islice(repeated_fields(text.encode(), fields_in(raw)), MOST_PROBLEMS):
        yield FieldProblem(problem.pointer, where + as_clause(problem.detail))


def _of_line(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The thing on a line. A resource has a `kind` of its own; on a line that is its `resource_kind`."""
    thing = {name: value for name, value in raw.items() if name != "kind"}
    if raw["kind"] == Kind.RESOURCE and "resource_kind" in thing:
        thing["kind"] = thing.pop("resource_kind")
    return thing


def name_of(raw: JsonValue) -> str:
    """What a thing calls itself, for a message."""
    name = raw.get("id") if isinstance(raw, Mapping) else None
    return name if isinstance(name, str) else ""


def as_clause(detail: str) -> str:
    """A sentence as what follows a colon."""
    return detail[:1].lower() + detail[1:].removesuffix(".")
