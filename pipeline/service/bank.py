"""The question bank: storing questions one by one or by the file, and reading them, answer keys included."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

import msgspec

from pipeline.errors import FieldProblem, InvalidInput, NotFound
from pipeline.model import JsonValue, Question
from pipeline.ports import BankStore, QuestionFilter, Saved
from pipeline.ports.bank import BEGINNING, RANKS, Place
from pipeline.scoring.bank import parse_question
from pipeline.scoring.shape import forbidden_characters
from pipeline.service.intake import decode_json, first_problems
from pipeline.service.page import cursor_behind, key_before
from pipeline.service.record import records_in

SAVED_AT_ONCE: Final = 500
MOST_IMPORTED: Final = 50_000
PROBLEMS_PER_LINE: Final = 20
RESERVED_IDS: Final = frozenset({"import"})
"""Ids whose address under /v1/questions means something else."""


class QuestionPage(msgspec.Struct, frozen=True):
    """A part of a list of questions; `next` is the cursor of the following part."""

    questions: tuple[Question, ...]
    next: str | None


class ImportedLine(msgspec.Struct, frozen=True):
    """What became of one line (or array item): saved, or refused for these problems."""

    line: int
    saved: Saved | None = None
    problems: tuple[FieldProblem, ...] = ()


class ReadLine(msgspec.Struct, frozen=True):
    """One line as read: a question, or what is wrong with it."""

    line: int
    question: Question | None = None
    problems: tuple[FieldProblem, ...] = ()


class Bank:
    """What teachers do with questions."""

    def __init__(self, store: BankStore, *, max_question_bytes: int) -> None:
        self._store = store
        self._max_question_bytes = max_question_bytes

    async def put(self, tenant_id: int, question_id: str, body: bytes) -> tuple[Question, Saved]:
        """Store one question, as a new version if it changed; raises `InvalidInput` with its problems."""
        question = read_question(decode_json(body), question_id=question_id)
        saved = (await self._store.save(tenant_id, [question]))[0]
        return msgspec.structs.replace(question, version=saved.version), saved

    async def get(self, tenant_id: int, question_id: str, version: int | None) -> Question:
        """One version of a question, the current one by default; raises `NotFound`."""
        storable = forbidden_characters(question_id) is None
        question = await self._store.find(tenant_id, question_id, version) if storable else None
        if question is None:
            raise NotFound("There is no such question, or not in this version.")
        return question

    async def prompts(self, tenant_id: int, question_ids: Iterable[str]) -> dict[str, str]:
        """What those of these questions that are there ask, by id."""
        found = await self._store.current(tenant_id, question_ids)
        return {id_: one.question.prompt for id_, one in found.items()}

    async def browse(self, tenant_id: int, wanted: QuestionFilter, *, cursor: str | None, limit: int) -> QuestionPage:
        """The next `limit` questions that fit; raises `InvalidInput` for a cursor that is not ours."""
        searching = wanted.search is not None
        after = BEGINNING if cursor is None else place_in(key_before(cursor), searching=searching)
        found = await self._store.browse(tenant_id, wanted, after=after, most=limit + 1)
        shown = found[:limit]
        following = cursor_behind(key_of(shown[-1].place, searching=searching)) if len(found) > limit else None
        return QuestionPage(tuple(one.question for one in shown), following)

    async def import_all(self, tenant_id: int, body: bytes) -> list[ImportedLine]:
        """Store a file of questions, NDJSON or one array, and tell what became of each line.

        A line with problems is refused alone. So is a second line with the same id: a file that says two
        things of one question says neither for sure, so the first stays and the second is pointed at.
        Lines are saved 500 at a time; a file whose import broke off can be sent again, as what is already
        there keeps its version. Raises `TooLarge`, and `InvalidInput` for an array that is not JSON.
        """
        lines = read_lines(records_in(body, MOST_IMPORTED), self._max_question_bytes)
        report: list[ImportedLine] = []
        while some := list(islice(lines, SAVED_AT_ONCE)):
            report += await self._import_some(tenant_id, some)
        return report

    async def _import_some(self, tenant_id: int, lines: Sequence[ReadLine]) -> Iterator[ImportedLine]:
        questions = [line.question for line in lines if line.question is not None]
        saved = iter(await self._store.save(tenant_id, questions) if questions else ())
        return (
            ImportedLine(line.line, next(saved)) if line.question else ImportedLine(line.line, problems=line.problems)
            for line in lines
        )


def key_of(place: Place, *, searching: bool) -> str:
    """A place as a cursor's key: an id, behind its rank (`-`: the list goes by ids) where something is searched."""
    return f"{'-' if place.rank is None else place.rank}/{place.id}" if searching else place.id


def place_in(key: str, *, searching: bool) -> Place:
    """The place that a cursor names; raises `InvalidInput` for one of another list."""
    if not searching:
        return Place(key)
    rank, separator, question_id = key.partition("/")
    if not separator or rank not in {"-", *map(str, RANKS)}:
        raise InvalidInput([FieldProblem("/cursor", "is not a cursor of this list")])
    return Place(question_id, None if rank == "-" else int(rank))


def read_question(raw: JsonValue, *, question_id: str | None = None) -> Question:
    """A question from JSON; raises `InvalidInput` with its problems, not more of them than can be read."""
    try:
        question = parse_question(raw, question_id=question_id)
    except InvalidInput as error:
        raise InvalidInput(first_problems(error.problems), str(error)) from None
    if question.id in RESERVED_IDS:
        raise InvalidInput([FieldProblem("/id", "is an address of its own here; choose another id")])
    return question


def read_lines(records: Sequence[tuple[int, bytes]], max_bytes: int) -> Iterator[ReadLine]:
    """Each record as a question or its problems, read as it is asked for."""
    first_lines: dict[str, int] = {}
    for number, record in records:
        line = read_line(number, record, max_bytes)
        if line.question is None:
            yield line
            continue
        first = first_lines.setdefault(line.question.id, number)
        repeated = FieldProblem("/id", f"is the id of line {first} too; a file may name a question once")
        yield line if first == number else ReadLine(number, problems=(repeated,))


def read_line(number: int, record: bytes, max_bytes: int) -> ReadLine:
    if len(record) > max_bytes:
        return ReadLine(number, problems=(FieldProblem("", f"is larger than {max_bytes:,} bytes"),))
    try:
        return ReadLine(number, read_question(decode_json(record)))
    except InvalidInput as error:
        return ReadLine(number, problems=tuple(first_problems(error.problems, PROBLEMS_PER_LINE)))
