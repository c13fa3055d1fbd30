"""How schemas read on the page for people."""

from typing import Any

import pytest

from api.handbook import curl, kind_of, limits_of, prose

REFERENCE = {"$ref": "#/components/schemas/Queue"}


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "integer"}, "integer"),
        ({"type": "string", "format": "date-time"}, "date-time"),
        ({"type": "array", "items": {"type": "string"}}, "array of string"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "object of integer"),
        ({"type": "object"}, "object"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string or null"),
        ({"enum": ["a", 1]}, "<code>&#34;a&#34;</code> | <code>1</code>"),
        (REFERENCE, '<a href="#schema-Queue">Queue</a>'),
        ({"type": "array", "items": REFERENCE}, 'array of <a href="#schema-Queue">Queue</a>'),
        ({}, "anything"),
    ],
)
def test_a_type_is_said_in_words(schema: dict[str, Any], text: str) -> None:
    assert str(kind_of(schema)) == text


def test_limits_are_found_within_an_optional_type() -> None:
    schema = {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 5}, {"type": "null"}]}
    assert limits_of(schema) == "≥ 1, ≤ 5"


def test_prose_keeps_paragraphs_and_code_and_escapes_the_rest() -> None:
    assert str(prose("One `<a>`.\n\nTwo & three.")) == "<p>One <code>&lt;a&gt;</code>.</p><p>Two &amp; three.</p>"


def test_a_command_quotes_the_example_for_the_shell() -> None:
    content = {"application/json": {"examples": {"one": {"value": {"name": "the school's"}}}}}
    command = curl("/v1/keys", "post", {"security": [{"bearer": []}], "requestBody": {"content": content}})
    assert command.splitlines()[0] == 'curl -X POST "$GRADELINE_URL/v1/keys" \\'
    assert '-d \'{"name": "the school\'"\'"\'s"}\'' in command
