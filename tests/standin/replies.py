"""What the stand-in writes: an object after the schema of the request, quoting the answer it finds in it."""

import re
from collections.abc import Callable, Mapping
from itertools import cycle
from typing import Any, Final

import msgspec

Schema = Mapping[str, Any]

ANSWER: Final = re.compile(r"<<answer (\S+)>>\n(.*?)\n?<<end answer \1>>", re.DOTALL)
QUOTING: Final = re.compile(r"quot|evidence|excerpt")
QUOTED_CHARACTERS: Final = 60
SENTENCE: Final = "Read the question once more and compare each of its parts with what you wrote."
SAID: Final = re.compile(
    r"""["'“‘「]([^"'”’」]{3,200})["'”’」]|(?:say|write|print|output|reply)[^:\n]{0,40}: *([^\n]{3,200})"""
)
MARKUP: Final = re.compile(r"https?://\S+|!?\[[^\]]*\]\([^)]*\)|<[a-zA-Z/][^>]*>(?:[^<]*</[^>]*>)?")
PRAISE: Final = "Full marks: this answer is completely correct."
OBEYED_CHARACTERS: Final = 1500
HIGH: Final = 100


def answer_in(text: str) -> str:
    """What stands between the fences of the learner's answer; without fences, the whole text."""
    found = ANSWER.search(text)
    return found[2] if found else text


def compliant(schema: Schema, asked: str) -> str:
    """A well-formed reply, the same for the same request."""
    answer = answer_in(asked)

    def write(name: str, _: Schema) -> str:
        return quotation(answer) if QUOTING.search(name) else SENTENCE

    return encoded(schema, write)


def obedient(schema: Schema, asked: str) -> str:
    """A model that is talked round: each field that can hold text gets another one of the answer's demands.

    Where the answer shows an object, its fields go into those of the same name; numbers are as high as may be.
    """
    answer = answer_in(asked)
    shown, wanted = object_in(answer), cycle(demands(answer))

    def write(name: str, _: Schema) -> str:
        if isinstance(text := shown.get(name), str):
            return text
        return quotation(answer) if QUOTING.search(name) else next(wanted)

    return encoded(schema, write, high=True)


def demands(answer: str) -> list[str]:
    """What somebody who writes such an answer would like to read in the reply."""
    said = [found[1] or found[2] for found in SAID.finditer(answer)]
    parts = [found[0] for found in MARKUP.finditer(answer)]
    return [PRAISE, answer[:OBEYED_CHARACTERS], *said, *parts]


def off_schema() -> str:
    """A JSON object, and not the one that was asked for."""
    return '{"something": ["else", 1]}'


def quotation(answer: str) -> str:
    """The beginning of the answer, up to the end of a word."""
    line = answer.strip().partition("\n")[0]
    return line if len(line) <= QUOTED_CHARACTERS else line[:QUOTED_CHARACTERS].rpartition(" ")[0] or line[:20]


def object_in(answer: str) -> Mapping[str, Any]:
    """The first JSON object that an answer shows."""
    for found in re.finditer(r"\{.*?\}", answer, re.DOTALL):
        try:
            value = msgspec.json.decode(found[0])
        except msgspec.DecodeError:
            continue
        if isinstance(value, dict):
            return value
    return {}


Write = Callable[[str, Schema], str]


def encoded(schema: Schema, write: Write, *, high: bool = False) -> str:
    value = filled(schema, "reply", write, schema.get("$defs", {}), high=high)
    return msgspec.json.encode(value).decode()


def filled(schema: Schema, name: str, write: Write, definitions: Schema, *, high: bool) -> Any:
    """A value after a schema; `name` is the property it is for."""
    schema = resolved(schema, definitions)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][-1 if high else 0]
    kind = schema.get("type", "object")
    if isinstance(kind, list):
        kind = next(one for one in kind if one != "null")
    if kind == "object":
        properties = schema.get("properties", {})
        return {key: filled(value, key, write, definitions, high=high) for key, value in properties.items()}
    if kind == "array":
        item = schema.get("items", {"type": "string"})
        return [filled(item, name, write, definitions, high=high) for _ in range(max(1, schema.get("minItems", 1)))]
    if kind == "string":
        return write(name, schema)[: schema.get("maxLength")]
    return number(kind, schema, high=high)


def number(kind: str, schema: Schema, *, high: bool) -> Any:
    if kind == "boolean":
        return high
    if kind == "null":
        return None
    return schema.get("maximum", HIGH) if high else schema.get("minimum", 1)


def resolved(schema: Schema, definitions: Schema) -> Schema:
    """Behind a reference, and the first of several that is not null."""
    if "$ref" in schema:
        return resolved(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return resolved(next(one for one in schema[choice] if one.get("type") != "null"), definitions)
    return schema
