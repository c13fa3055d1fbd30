"""The OpenAPI document as one HTML page for people: no script, no request to anywhere, readable on a phone."""

import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from markupsafe import Markup, escape

from api.html import environment_in, policy_for

Schema = Mapping[str, Any]

TEMPLATES: Final = Path(__file__).with_name("templates")
STYLE: Final = "handbook.css"
PAGE: Final = "handbook.html.jinja"
METHODS: Final = ("get", "put", "post", "delete")
FIRST_PROBLEM: Final = 400

LIMITS: Final = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "minLength": "{} or more characters",
    "maxLength": "up to {} characters",
    "minItems": "{} or more items",
    "maxItems": "up to {} items",
    "pattern": "matches {}",
}


class Handbook(msgspec.Struct, frozen=True):
    """The page and the content security policy it is served with."""

    html: str
    policy: str


def handbook_of(document: Mapping[str, Any]) -> Handbook:
    """The page of an OpenAPI document. Its only style is inline, and the policy names it by its hash."""
    style = (TEMPLATES / STYLE).read_text(encoding="utf-8")
    environment = environment_in(TEMPLATES)
    environment.filters.update(prose=prose, kind=kind_of, limits=limits_of, pretty=pretty)
    html = environment.get_template(PAGE).render(
        document=document,
        groups=groups_of(document),
        schemas=document["components"]["schemas"],
        style=Markup(style),  # noqa: S704 - our own file
    )
    return Handbook(html, policy_for(style))


def groups_of(document: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The operations by tag, each with its place and a call of it to copy."""
    groups: dict[str, list[dict[str, Any]]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method in METHODS:
            if (operation := methods.get(method)) is not None:
                shown = {**operation, "method": method.upper(), "path": path, "curl": curl(path, method, operation)}
                shown["successes"], shown["problems"] = split(operation["responses"])
                groups[operation["tags"][0]].append(shown)
    return groups


def split(responses: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Answers that succeed, and refusals."""
    successes = {status: one for status, one in responses.items() if int(status) < FIRST_PROBLEM}
    return successes, {status: one for status, one in responses.items() if status not in successes}


def curl(path: str, method: str, operation: Mapping[str, Any]) -> str:
    """A command that makes this call, with the first example as its body."""
    words = ["curl", *([] if method == "get" else ["-X", method.upper()])]
    line = f'{shlex.join(words)} "$GRADELINE_URL{path}"'
    if operation["security"]:
        line += ' \\\n  -H "Authorization: Bearer $GRADELINE_API_KEY"'
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        for example in content.get("examples", {}).values():
            header = shlex.quote(f"Content-Type: {media_type}")
            return f"{line} \\\n  -H {header} \\\n  -d {shlex.quote(as_text(example['value'], indent=None))}"
    return line


def prose(text: str) -> Markup:
    """Paragraphs, with what stands between backticks as code."""
    paragraphs = [part for part in text.split("\n\n") if part.strip()]
    return Markup().join(Markup("<p>{}</p>").format(inline(part)) for part in paragraphs)


def inline(text: str) -> Markup:
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before


def kind_of(schema: Schema) -> Markup:
    """What a value is: its type in words, structs as links to where they are described."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return Markup('<a href="#schema-{0}">{0}</a>').format(name)
    if "enum" in schema:
        return Markup(" | ").join(Markup("<code>{}</code>").format(json.dumps(one)) for one in schema["enum"])
    if "anyOf" in schema:
        return Markup(" or ").join(kind_of(one) for one in schema["anyOf"])
    return plain_kind(schema)


def plain_kind(schema: Schema) -> Markup:
    match schema.get("type"):
        case "array" if "items" in schema:
            return Markup("array of {}").format(kind_of(schema["items"]))
        case "object" if isinstance(schema.get("additionalProperties"), Mapping):
            return Markup("object of {}").format(kind_of(schema["additionalProperties"]))
        case None:
            return Markup("anything")
        case str(name):
            return Markup("{}").format(schema.get("format", name))
        case other:
            raise TypeError(f"{other!r} is no type that our schemas use")


def limits_of(schema: Schema) -> str:
    """What a value may be at least and at most, wherever in an optional type it is said."""
    parts = [schema, *schema.get("anyOf", ())]
    found = [text.format(part[key]) for part in parts for key, text in LIMITS.items() if key in part]
    return ", ".join(found)


def pretty(value: Any) -> str:
    return as_text(value, indent=2)


def as_text(value: Any, *, indent: int | None) -> str:
    return json.dumps(value, indent=indent, ensure_ascii=False)
