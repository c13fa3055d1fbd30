"""The question bank over HTTP. Questions are shown with their answer keys, so all of it is for teachers."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, Router, get, post, put
from litestar.params import FromPath

from api.caller import AnyRequest, allow
from api.description import JSON, NDJSON, Answer, Body, Page, described
from api.errors import Problem, problem_of
from api.patience import Patience
from api.reading import query_of, require_media_type
from pipeline.errors import InvalidInput
from pipeline.model import JsonValue, Question
from pipeline.ports import QuestionFilter
from pipeline.scoring.answer_key import QuestionType
from pipeline.scoring.bank import question_document
from pipeline.scoring.search import read_search
from pipeline.service.access import Permission
from pipeline.service.bank import ImportedLine
from pipeline.service.page import MOST_ITEMS
from pipeline.settings import Settings

CREATED: Final = 201
OK: Final = 200

SearchText = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Level = Annotated[int, msgspec.Meta(ge=1, le=5)]
LEVELS: Final = range(1, 6)
Label = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class QuestionIn(msgspec.Struct, frozen=True, omit_defaults=True):
    """A question as teachers write it; `answer` depends on `type`, and null counts as absent."""

    type: Label
    prompt: str
    answer: Mapping[str, JsonValue]
    id: Label | None = None
    options: tuple[Mapping[str, str], ...] = ()
    points: float = 1.0
    difficulty: Annotated[int, msgspec.Meta(ge=1, le=5)] = 3
    topics: tuple[Label, ...] = ()
    module: Label | None = None
    language: str = "en"
    explanation: str | None = None
    industry: Label | None = None
    tags: tuple[Label, ...] = ()
    hide_solution: bool = False


class VersionQuery(msgspec.Struct, frozen=True):
    """Which version of a question; the current one by default."""

    version: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)] | None = None


class QuestionQuery(msgspec.Struct, frozen=True):
    """Which questions to list: those that fit everything given."""

    q: Annotated[
        SearchText | None,
        msgspec.Meta(
            description="Words that all must be in the prompt, options, tags, topics or id, also inside other words; "
            "case and width of letters do not matter."
        ),
    ] = None
    type: QuestionType | None = None
    topic: Label | None = None
    difficulty: Level | None = None
    difficulty_min: Annotated[Level | None, msgspec.Meta(description="Of this difficulty or harder.")] = None
    difficulty_max: Annotated[Level | None, msgspec.Meta(description="Of this difficulty or easier.")] = None
    module: Label | None = None
    language: Label | None = None
    industry: Label | None = None
    tag: Label | None = None
    cursor: Annotated[str, msgspec.Meta(max_length=2000)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_ITEMS)] = 50

    @property
    def wanted(self) -> QuestionFilter:
        """What to list; raises `InvalidInput` for a search that names nothing to look for."""
        return QuestionFilter(
            type=self.type,
            topic=self.topic,
            difficulties=self._difficulties,
            module=self.module,
            language=self.language,
            industry=self.industry,
            tag=self.tag,
            search=None if self.q is None else read_search(self.q),
        )

    @property
    def _difficulties(self) -> tuple[int, ...] | None:
        given = (self.difficulty, self.difficulty_min, self.difficulty_max)
        if given == (None, None, None):
            return None
        low, high = self.difficulty_min or LEVELS[0], self.difficulty_max or LEVELS[-1]
        return tuple(level for level in LEVELS if low <= level <= high and self.difficulty in (None, level))


class ImportItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one line: 201 a question's first version, 200 a later or the same one, 422 its problem."""

    line: int
    status: int
    id: str | None = None
    version: int | None = None
    problem: Problem | None = None


class ImportReport(msgspec.Struct, frozen=True):
    """One entry per line in order. `imported` lines made a version, `unchanged` ones found theirs there."""

    items: tuple[ImportItem, ...]
    imported: int
    unchanged: int
    rejected: int


QUESTION_IN: Final = QuestionIn(
    type="single_choice",
    prompt="What does `len([1, 2])` give?",
    answer={"option": "b"},
    options=({"id": "a", "text": "1"}, {"id": "b", "text": "2"}),
    topics=("python.lists",),
    explanation="A list's length is the number of its items.",
)
QUESTION: Final = msgspec.convert({"id": "py-len-1", "version": 1, **msgspec.to_builtins(QUESTION_IN)}, Question)


@put(
    "/v1/questions/{question_id:str}",
    opt=described(
        "Questions",
        {
            201: Answer("The question is new: this is its first version.", Question, QUESTION),
            200: Answer("Its newest version; the same as before if nothing changed.", Question, QUESTION),
        },
        permission=Permission.TEACH,
        body=Body(QuestionIn, {"single_choice": QUESTION_IN}),
    ),
)
async def put_question(request: AnyRequest, question_id: FromPath[str]) -> Response[Any]:
    """Store a question.

    A change makes a new version; what was answered before stays scored by the version it was answered in.
    """
    parts, principal = await allow(request, Permission.TEACH)
    require_media_type(request.headers, JSON)
    body = await request.body()
    async with Patience():
        question, saved = await parts.questions.put(principal.tenant_id, question_id, body)
    is_new = saved.changed and saved.version == 1
    return Response(question_document(question), status_code=CREATED if is_new else OK)


@get(
    "/v1/questions/{question_id:str}",
    opt=described(
        "Questions",
        {200: Answer("The question with its answer key.", Question, QUESTION)},
        permission=Permission.TEACH,
        query=VersionQuery,
    ),
)
async def show_question(request: AnyRequest, question_id: FromPath[str]) -> Response[Any]:
    """Show a question, in its current version or an earlier one."""
    parts, principal = await allow(request, Permission.TEACH)
    query = query_of(request, VersionQuery)
    return Response(question_document(await parts.questions.get(principal.tenant_id, question_id, query.version)))


@get(
    "/v1/questions",
    opt=described(
        "Questions",
        {200: Answer("Questions in the order of their ids, or what a search finds.", Page[Question], Page([QUESTION]))},
        permission=Permission.TEACH,
        query=QuestionQuery,
    ),
)
async def list_questions(request: AnyRequest) -> Response[Any]:
    """List questions of the bank in their current versions, or search them.

    With `q`, those with the whole text in their prompt come first, then those with all its words there, then those
    with words elsewhere; each in the order of ids. Where more than 1,000 may fit, all come in the order of ids.
    A module that neither the curriculum nor a question names is refused.
    """
    parts, principal = await allow(request, Permission.TEACH)
    query = query_of(request, QuestionQuery)
    await parts.curricula.require_module(principal.tenant_id, query.module)
    page = await parts.questions.browse(principal.tenant_id, query.wanted, cursor=query.cursor, limit=query.limit)
    return Response({"items": [question_document(question) for question in page.questions], "next": page.next})


@post(
    "/v1/questions/import",
    status_code=OK,
    opt=described(
        "Questions",
        {200: Answer("What became of each line.", ImportReport)},
        permission=Permission.TEACH,
        body=Body(
            list[QuestionIn], {"array": [{"id": "py-len-1", **msgspec.to_builtins(QUESTION_IN)}]}, also=(NDJSON,)
        ),
    ),
)
async def import_questions(request: AnyRequest) -> Response[ImportReport]:
    """Store a file of questions: NDJSON, or a JSON array.

    A line with problems is refused alone, and so is a second line with the same id. What is already there
    unchanged keeps its version, so a file may be sent again.
    """
    parts, principal = await allow(request, Permission.TEACH)
    require_media_type(request.headers, NDJSON, JSON)
    lines = await parts.questions.import_all(principal.tenant_id, await request.body())
    return Response(report_of(lines))


def report_of(lines: list[ImportedLine]) -> ImportReport:
    changed = sum(1 for line in lines if line.saved is not None and line.saved.changed)
    rejected = sum(1 for line in lines if line.saved is None)
    return ImportReport(tuple(map(item_of, lines)), changed, len(lines) - changed - rejected, rejected)


def item_of(line: ImportedLine) -> ImportItem:
    saved = line.saved
    if saved is None:
        problem = problem_of(InvalidInput(line.problems, "The question is invalid."))
        return ImportItem(line.line, problem.status, problem=problem)
    is_new = saved.changed and saved.version == 1
    return ImportItem(line.line, CREATED if is_new else OK, saved.id, saved.version)


def question_handlers(settings: Settings) -> list[Any]:
    large = Router("/", route_handlers=[import_questions], request_max_body_size=settings.max_batch_bytes)
    return [put_question, show_question, list_questions, large]
