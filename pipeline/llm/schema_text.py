"""The form of a reply in words, for endpoints that can't be held to a schema; pure."""

from typing import Final

import msgspec

from pipeline.exchange import Prompt, Route

ASKED: Final = "Reply with one JSON object, and nothing else, that is valid against this JSON schema:"


def with_schema(prompt: Prompt, route: Route) -> str:
    """The static part of a prompt; it ends with the schema where the wire can't carry it."""
    if route.structured == "schema":
        return prompt.system
    schema = msgspec.json.encode(prompt.schema, order="sorted").decode()
    return f"{prompt.system}\n\n{ASKED}\n{schema}"
