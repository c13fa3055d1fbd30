"""The form that a reply is to have: as wires carry it, or in words for endpoints that can't be held to it; pure."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from pipeline.exchange import Prompt, Route

ASKED: Final = "Reply with one JSON object, and nothing else, that is valid against this JSON schema:"


def with_schema(prompt: Prompt, route: Route) -> str:
    """The static part of a prompt; it ends with the schema where the wire can't carry it."""
    if route.structured == "schema":
        return prompt.system
    schema = msgspec.json.encode(plain(prompt.schema)).decode()
    return f"{prompt.system}\n\n{ASKED}\n{schema}"


def plain(schema: Any) -> Any:
    """A schema in dicts and lists only, which is all that SDKs can write; the order of its properties is kept."""
    if isinstance(schema, Mapping):
        return {name: plain(value) for name, value in schema.items()}
    if isinstance(schema, list | tuple):
        return [plain(value) for value in schema]
    return schema
