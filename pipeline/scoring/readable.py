"""Responses and keys as texts, for people who decide on answers."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from pipeline.model import JsonValue, Question


def response_text(response: JsonValue) -> str:
    """What a learner wrote; several things one below the other."""
    if isinstance(response, list):
        return "\n".join(f"{number}. {response_text(one)}" for number, one in enumerate(response, 1))
    return response if isinstance(response, str) else "" if response is None else _json(response)


def key_texts(question: Question) -> Mapping[str, str]:
    """The key of a question by its parts, those that are there: `reference`, `rubric`, `accepted`; else `key`."""
    key: Mapping[str, Any] = question.answer
    parts = {"reference": key.get("reference") or "", **_listed(key)}
    if question.type not in {"essay", "short_text", "cloze"}:
        parts["key"] = _json(question.answer)
    return {name: text for name, text in parts.items() if text}


def _listed(key: Mapping[str, Any]) -> Mapping[str, str]:
    accepted = [*_accepted(key)]
    blanks = [f"{number}. {' / '.join(_accepted(blank))}" for number, blank in enumerate(key.get("blanks") or (), 1)]
    rubric = [f"{one['points']:g}: {one['description']}" for one in key.get("rubric") or ()]
    return {"rubric": "\n".join(rubric), "accepted": "\n".join(accepted + blanks)}


def _accepted(key: Mapping[str, Any]) -> Iterator[str]:
    yield from key.get("accepted") or ()
    if pattern := key.get("pattern"):
        yield f"/{pattern}/"


def _json(value: JsonValue | Mapping[str, JsonValue]) -> str:
    return msgspec.json.encode(value).decode()
