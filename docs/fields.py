# ruff: noqa: INP001  a script beside the page it writes, not a package
"""Writes docs/fields.md from the structs that hand-ins and goals are read into: `python -m docs.fields`."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from pipeline.learning.goal import Goals
from pipeline.service.hand_in import AnswerIn, SubmissionIn
from pipeline.settings import Settings, variable_of

PAGE: Final = Path(__file__).with_suffix(".md")

EXAMPLE: Final[Mapping[str, Any]] = {
    "learner_id": "u-17",
    "assignment_id": "hw-3",
    "locale": "ko",
    "career_goal": "saas_development",
    "industry": "fintech",
    "priority": "normal",
    "retry_feedback": True,
    "callback_url": "https://school.example/gradeline",
    "metadata": {"course": "7b"},
    "submitted_at": "2026-03-02T09:00:00+09:00",
    "idempotency_key": "hw-3:u-17",
    "answers": [{"question_id": "py-len", "response": "len", "response_time_ms": 5300, "confidence": 4}],
}

HEAD: Final = f"""\
# Fields of a submission and of goals

Written by `python -m docs.fields` from `pipeline/service/hand_in.py` and `pipeline/learning/goal.py`; do not edit.

What comes back is in the OpenAPI document ([openapi.json](openapi.json), or `/schema` of a running server); fields of
questions are in [questions.md](questions.md), those of a curriculum in [curriculum.md](curriculum.md). A field that is
not below is refused, and so is a value out of its limits; one answer (422) names all of them.

## A submission

`POST /v1/submissions`, each item of `POST /v1/submissions/batch`, each line of `gradeline submit`. With every field:

```json
{json.dumps(EXAMPLE, indent=2)}
```

"""

ANSWERS: Final = "\n### Each of its `answers`\n\n"
GOALS: Final = """
## Goals of a learner

`PUT /v1/learners/{id}/goals` puts them in place of earlier ones: what is left out is no goal any more. They may be set
before the first hand-in. What a target means beside a `career_goal`:
[learning.md](learning.md#what-a-learner-works-towards).

"""
TABLE: Final = "| field | shape | default | meaning |\n|---|---|---|---|\n"

BY_SETTING: Final = {"answers": ("max_answers", "of them"), "metadata": ("max_metadata_bytes", "bytes as JSON")}
"""Fields whose limit is a setting, and what it counts."""

OWN_SHAPES: Final = {"submitted_at": "time with an offset from UTC (RFC 3339)"}
"""Shapes that a JSON schema calls plain text."""

KINDS: Final = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
KINDS_OF_MANY: Final = {"array": "list", "object": "object"}


def page() -> str:
    """The whole of docs/fields.md."""
    parts = (HEAD, rows(SubmissionIn), ANSWERS, rows(AnswerIn), GOALS, rows(Goals))
    return "".join(part if isinstance(part, str) else TABLE + "".join(part) for part in parts)


def rows(kind: type[msgspec.Struct]) -> Iterator[str]:
    """One row for each field of a struct, in their order."""
    found = msgspec.json.schema(kind)
    schema = found["$defs"][kind.__name__]
    for name, field in schema["properties"].items():
        default = "required" if name in schema.get("required", ()) else default_of(field)
        cells = (f"`{name}`", shape_of(name, field), default, field["description"])
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def default_of(field: Mapping[str, Any]) -> str:
    default = field.get("default")
    return "none" if default is None else f"`{json.dumps(default)}`"


def shape_of(name: str, field: Mapping[str, Any]) -> str:
    """What a field takes and how much of it, in words; null is told by its default."""
    if name in OWN_SHAPES:
        return OWN_SHAPES[name]
    choices = [choice for choice in field.get("anyOf", [field]) if choice.get("type") != "null"]
    one = choices[0]
    if "enum" in one:
        return ", ".join(f"`{value}`" for value in one["enum"])
    words = [KINDS.get(str(one.get("type"))) or KINDS_OF_MANY.get(str(one.get("type")), "any JSON"), *limits_of(one)]
    if name in BY_SETTING:
        setting, counted = BY_SETTING[name]
        default = getattr(Settings(), setting)
        words.append(f"at most {default:,} {counted} (`{variable_of(setting)}`)")
    return ", ".join(words)


def limits_of(schema: Mapping[str, Any]) -> Iterator[str]:
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if most is not None:
        yield f"{least or 'up'} to {most:,} characters"
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        yield f"{low:,} to {high:,}"
    if (items := schema.get("minItems")) is not None:
        yield f"at least {items}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
