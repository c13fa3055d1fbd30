"""Questions of the bank: from JSON, with everything wrong reported at once, and back to JSON."""

import re
from collections.abc import Mapping
from typing import Final

from pipeline.errors import FieldProblem, InvalidInput
from pipeline.model import JsonValue, Question
from pipeline.scoring.answer_key import MAX_OPTIONS, OPTION_TYPES, QUESTION_TYPES, check_answer_key
from pipeline.scoring.fields import Fields, forbidden_text

MAX_PROMPT_CHARS: Final = 20_000
MAX_OPTION_CHARS: Final = 5_000
MAX_LABELS: Final = 50
MAX_LABEL_CHARS: Final = 200
MAX_POINTS: Final = 10_000
DIFFICULTIES: Final = range(1, 6)

_FIELDS: Final = (
    "id", "type", "prompt", "options", "answer", "points", "difficulty", "topics",
    "module", "language", "explanation", "industry", "tags", "hide_solution",
)  # fmt: skip
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,7}")


def parse_question(raw: JsonValue, *, question_id: str | None = None, version: int = 0) -> Question:
    """The question that `raw`, a JSON object, describes; raises `InvalidInput` with all its problems.

    `question_id` is the id by address (PUT): the body may leave the id out but not name another. Null
    counts as absent. `version` is the store's to give; a body cannot.
    """
    if not isinstance(raw, Mapping):
        raise InvalidInput([FieldProblem("", "must be an object")], "The question is invalid.")
    problems = list(forbidden_text(raw))
    fields = Fields(raw, "", problems)
    question = _read(fields, question_id, version)
    if problems:
        raise InvalidInput(problems, "The question is invalid.")
    return question


def question_document(question: Question) -> dict[str, JsonValue]:
    """The question as JSON for teachers, key included: what `parse_question` reads, plus the version."""
    return {
        "id": question.id,
        "version": question.version,
        "type": question.type,
        "prompt": question.prompt,
        "options": [dict(option) for option in question.options],
        "answer": dict(question.answer),
        "points": question.points,
        "difficulty": question.difficulty,
        "topics": list(question.topics),
        "module": question.module,
        "language": question.language,
        "explanation": question.explanation,
        "industry": question.industry,
        "tags": list(question.tags),
        "hide_solution": question.hide_solution,
    }


def _read(fields: Fields, question_id: str | None, version: int) -> Question:
    """The question, complete only where no problem was noted."""
    _refuse_unknown(fields)
    options = _options(fields)
    question_type = fields.one_of("type", QUESTION_TYPES, required=True) or ""
    points, difficulty = _points(fields), _difficulty(fields)
    return Question(
        id=_identity(fields, question_id),
        version=version,
        type=question_type,
        prompt=fields.text("prompt", MAX_PROMPT_CHARS, required=True) or "",
        answer=_answer(fields, question_type, options),
        points=points,
        difficulty=difficulty,
        topics=fields.texts("topics", MAX_LABELS, MAX_LABEL_CHARS) or (),
        options=options,
        module=fields.text("module", MAX_LABEL_CHARS),
        language=_language(fields),
        explanation=fields.text("explanation", MAX_PROMPT_CHARS),
        industry=fields.text("industry", MAX_LABEL_CHARS),
        tags=fields.texts("tags", MAX_LABELS, MAX_LABEL_CHARS) or (),
        hide_solution=fields.flag("hide_solution") or False,
    )


def _refuse_unknown(fields: Fields) -> None:
    if "version" in fields.body:
        fields.refuse("version", "is given by the server; leave it out")
    fields.refuse_unknown((*_FIELDS, "version"))


def _identity(fields: Fields, question_id: str | None) -> str:
    named = fields.identifier("id", required=question_id is None)
    if question_id is None:
        return named or ""
    Fields({"id": question_id}, "", fields.problems).identifier("id")
    if named is not None and named != question_id:
        fields.refuse("id", "differs from the id in the address")
    return question_id


def _options(fields: Fields) -> tuple[Mapping[str, str], ...]:
    options: dict[str, Mapping[str, str]] = {}
    for index, raw in enumerate(fields.items("options", MAX_OPTIONS) or ()):
        body = fields.inside(f"options/{index}", raw)
        option = None if body is None else _option(body)
        if option is not None and option["id"] in options:
            fields.refuse(f"options/{index}/id", "is used by another option")
        elif option is not None:
            options[option["id"]] = option
    return tuple(options.values())


def _option(body: Fields) -> Mapping[str, str] | None:
    body.refuse_unknown(("id", "text"))
    identifier, text = body.identifier("id"), body.text("text", MAX_OPTION_CHARS, required=True)
    return None if identifier is None or text is None else {"id": identifier, "text": text}


def _answer(fields: Fields, question_type: str, options: tuple[Mapping[str, str], ...]) -> Mapping[str, JsonValue]:
    answer = fields.object("answer")
    if question_type in OPTION_TYPES and not fields.body.get("options"):
        fields.refuse("options", f"is required for {question_type}")
    if answer is None or not question_type:
        return {}
    check_answer_key(question_type, answer, [option["id"] for option in options])
    return dict(answer.body)


def _points(fields: Fields) -> float:
    points = fields.number("points")
    if points is not None and not 0 < points <= MAX_POINTS:
        fields.refuse("points", f"must be above 0 and at most {MAX_POINTS:,}")
    return 1.0 if points is None else float(points)


def _difficulty(fields: Fields) -> int:
    difficulty = fields.number("difficulty")
    if difficulty is None:
        return 3
    if difficulty not in DIFFICULTIES:
        fields.refuse("difficulty", "must be a whole number from 1 to 5")
    return int(difficulty)


def _language(fields: Fields) -> str:
    language = fields.text("language", MAX_LABEL_CHARS)
    if language is not None and not _LANGUAGE.fullmatch(language):
        fields.refuse("language", 'must be a language tag such as "en" or "zh-Hant"')
    return language or "en"
