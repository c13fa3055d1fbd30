"""Reading a hand-in: JSON to checked values, with every problem of the body found at once."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

import msgspec

from pipeline.delivery.destination import url_problems
from pipeline.errors import FieldProblem, InvalidInput
from pipeline.model import JsonValue, Question
from pipeline.scoring.fields import forbidden_text
from pipeline.scoring.repetition import fields_in, repeated_fields
from pipeline.scoring.shape import check_response
from pipeline.service.hand_in import SubmissionIn
from pipeline.service.unreadable import unreadable
from pipeline.service.wording import NO_OFFSET, in_words

CLOCK_TOLERANCE: Final = timedelta(minutes=5)
MOST_LEVELS: Final = 100
"""How deeply a body may be nested. Whoever reads it later may have less of the stack left than we have here."""


class IntakeLimits(msgspec.Struct, frozen=True):
    """How large one hand-in may be, and whether its callback URL may name a private address."""

    max_answers: int
    max_metadata_bytes: int
    private_callbacks: bool = False


def read_submission(body: bytes, limits: IntakeLimits, now: datetime) -> SubmissionIn:
    """Decode and check one hand-in; raises `InvalidInput` with all problems that need no question bank."""
    try:
        given = msgspec.json.decode(body, type=SubmissionIn)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return check_submission(decode_json(body), limits, now)
    repeated = repeated_fields(body, fields_of(given))
    if problems := first_problems(chain(repeated, _own_problems(given, limits, now), _text_problems(body))):
        raise InvalidInput(problems)
    return given


def check_submission(raw: JsonValue, limits: IntakeLimits, now: datetime) -> SubmissionIn:
    """Check one hand-in that is decoded already, as in a batch."""
    found = first_problems(problems_in(raw, SubmissionIn))
    known = {problem.pointer for problem in found}
    problems = first_problems(chain(found, (p for p in forbidden_text(raw) if p.pointer not in known)))
    if problems:
        raise InvalidInput(problems)
    given = msgspec.convert(raw, SubmissionIn)
    if problems := first_problems(_own_problems(given, limits, now)):
        raise InvalidInput(problems)
    return given


def first_problems(problems: Iterable[FieldProblem], most: int = 100) -> list[FieldProblem]:
    """At most `most` problems: an answer to a hundred thousand mistakes must not be larger than they are.

    Nor may it take long to find them: no more are looked for.
    """
    found = list(islice(problems, most + 1))
    return found if len(found) <= most else [*found[:most], FieldProblem("", "There are more problems than these.")]


def decode_json(body: bytes) -> JsonValue:
    """Any JSON of at most `MOST_LEVELS`, no field twice in an object; raises `InvalidInput` that says what is wrong."""
    try:
        raw = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput([FieldProblem("", unreadable(body, error))]) from None
    if is_nested_deeper(raw, MOST_LEVELS):
        raise InvalidInput([FieldProblem("", "The body is nested too deeply.")])
    if problems := first_problems(repeated_fields(body, fields_in(raw))):
        raise InvalidInput(problems)
    return raw


def fields_of(given: SubmissionIn) -> int:
    """How many fields a hand-in was surely sent with: all that say something else than nothing."""
    optional = (
        given.assignment_id,
        given.locale,
        given.career_goal,
        given.industry,
        given.callback_url,
        given.submitted_at,
        given.idempotency_key,
    )
    found = 2 + len(optional) - optional.count(None)
    for answer in given.answers:
        found += 4 - (answer.response_time_ms, answer.confidence, answer.response).count(None)
        if isinstance(answer.response, dict | list):
            found += fields_in(answer.response)
    return found + (1 + fields_in(given.metadata) if given.metadata else 0)


def is_nested_deeper(value: JsonValue, levels: int) -> bool:
    """Whether objects and arrays lie more than `levels` deep; walks level by level, so depth is no danger."""
    containers = [value] if isinstance(value, dict | list) else []
    for _ in range(levels):
        containers = [
            item
            for container in containers
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, dict | list)
        ]
        if not containers:
            return False
    return True


def check_answers(given: SubmissionIn, questions: Mapping[str, Question]) -> None:
    """Check the answers against the questions; raises `InvalidInput` with all problems."""
    problems: list[FieldProblem] = []
    for i, answer in enumerate(given.answers):
        question = questions.get(answer.question_id)
        if question is None:
            problems.append(FieldProblem(f"/answers/{i}/question_id", "There is no question with this id."))
            continue
        problems += [
            FieldProblem(f"/answers/{i}/response{problem.pointer}", problem.detail)
            for problem in check_response(question, answer.response)
        ]
    if problems:
        raise InvalidInput(first_problems(problems))


def _own_problems(given: SubmissionIn, limits: IntakeLimits, now: datetime) -> Iterator[FieldProblem]:
    if len(given.answers) > limits.max_answers:
        yield FieldProblem("/answers", f"At most {limits.max_answers} answers are allowed, not {len(given.answers)}.")
    else:
        yield from _repeated_questions(given)
    if given.metadata:
        yield from _metadata_problems(given.metadata, limits.max_metadata_bytes)
    if given.callback_url is not None:
        # No DNS here, which could make a client wait: what the name leads to is checked when something is sent.
        for detail in url_problems(given.callback_url, allow_private=limits.private_callbacks):
            yield FieldProblem("/callback_url", detail)
    if given.submitted_at is not None:
        yield from _time_problems(given.submitted_at, now)


def _metadata_problems(metadata: JsonValue, most_bytes: int) -> Iterator[FieldProblem]:
    if is_nested_deeper(metadata, MOST_LEVELS):
        yield FieldProblem("/metadata", f"At most {MOST_LEVELS} levels of metadata are allowed.")
    elif len(msgspec.json.encode(metadata)) > most_bytes:
        yield FieldProblem("/metadata", f"At most {most_bytes} bytes of metadata are allowed.")


def _repeated_questions(given: SubmissionIn) -> Iterator[FieldProblem]:
    seen: set[str] = set()
    for i, answer in enumerate(given.answers):
        if answer.question_id in seen:
            yield FieldProblem(f"/answers/{i}/question_id", "This question is already answered above.")
        seen.add(answer.question_id)


def _time_problems(moment: datetime, now: datetime) -> Iterator[FieldProblem]:
    if moment.tzinfo is None:
        yield FieldProblem("/submitted_at", NO_OFFSET)
    elif moment > now + CLOCK_TOLERANCE:
        yield FieldProblem("/submitted_at", "The time lies in the future.")
    elif moment < datetime(2000, 1, 1, tzinfo=UTC):
        yield FieldProblem("/submitted_at", "The time lies before the year 2000.")


def _text_problems(body: bytes) -> Iterator[FieldProblem]:
    """Characters that Postgres can't hold; looked for in detail only where their bytes occur at all."""
    if b"\\u0000" in body or b"\\ud" in body or b"\\uD" in body:
        yield from forbidden_text(msgspec.json.decode(body))


def problems_in(raw: JsonValue, kind: Any, pointer: str = "") -> Iterator[FieldProblem]:
    """Everything that keeps `raw` from being a `kind` (a struct, a list of structs, or a plain type)."""
    struct = _struct_of(kind)
    if struct is not None and (struct is kind or isinstance(raw, dict)):
        yield from _struct_problems(raw, struct, pointer)
        return
    item = _struct_item(kind)
    if item is not None and isinstance(raw, list) and raw:
        for i, one in enumerate(raw):
            yield from problems_in(one, item, f"{pointer}/{i}")
        return
    try:
        msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        path, detail = pointer_and_detail(str(error), kind)
        yield FieldProblem(pointer + path, detail)


def _struct_problems(raw: JsonValue, kind: type[msgspec.Struct], pointer: str) -> Iterator[FieldProblem]:
    if not isinstance(raw, dict):
        yield FieldProblem(pointer, f"An object is expected, not {json_kind(raw)}.")
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name in raw:
        if name not in fields:
            yield FieldProblem(f"{pointer}/{escaped(name)}", "There is no such field.")
    for name, field in fields.items():
        if name in raw:
            yield from problems_in(raw[name], field.type, f"{pointer}/{name}")
        elif field.required:
            yield FieldProblem(f"{pointer}/{name}", "This field is required.")


def _struct_of(kind: Any) -> type[msgspec.Struct] | None:
    """The struct that `kind` is, or the one that may stand there beside null and nothing."""
    if get_origin(kind) in {Union, UnionType}:
        there = [one for one in get_args(kind) if one is not NoneType and one is not msgspec.UnsetType]
        return _struct_of(there[0]) if len(there) == 1 else None
    return kind if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else None


def _struct_item(kind: Any) -> type[msgspec.Struct] | None:
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) is list:
        item = get_args(kind)[0]
        if isinstance(item, type) and issubclass(item, msgspec.Struct):
            return item
    return None


def pointer_and_detail(message: str, kind: Any) -> tuple[str, str]:
    """Msgspec's "Expected `int`, got `str` - at `$.a[0]`" as ("/a/0", "A whole number is expected, not a string.")."""
    detail, _, place = message.partition(" - at `$")
    path = place.rstrip("`").replace("[", "/").replace("]", "").replace(".", "/")
    return ("" if path == "..." else path), in_words(detail, kind)


def escaped(name: str) -> str:
    """A field's name as a part of a JSON pointer, cut to a readable length."""
    return name[:100].replace("~", "~0").replace("/", "~1")


def json_kind(value: JsonValue) -> str:
    kinds = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number")
