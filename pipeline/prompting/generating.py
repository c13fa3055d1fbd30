"""Prompts for what teachers have generated: summaries, and drafts of questions.

As in prompts for feedback, what people wrote stands between lines with a random word that they cannot know.
"""

from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from types import MappingProxyType
from typing import Final, Literal

import msgspec
from jinja2.runtime import Macro

from pipeline.exchange import JsonSchema, Prompt
from pipeline.prompting.language import TONGUES
from pipeline.prompting.render import KEY_BYTES, LANGUAGE, neutralised
from pipeline.prompting.wording import macros_of
from prompts.catalog import Text, load

Length = Literal["short", "medium", "long"]
EXTENTS: Final[Mapping[Length, str]] = MappingProxyType(
    {
        "short": "two to three sentences, and three points",
        "medium": "one or two paragraphs, and five points",
        "long": "four to six paragraphs, and ten points",
    }
)
SUMMARY_TOKENS: Final[Mapping[Length, int]] = MappingProxyType({"short": 800, "medium": 1_500, "long": 3_000})
QUESTION_TOKENS: Final = 450
"""What one draft takes at most, in output tokens, in languages that need many."""
QUESTIONS_TOKENS: Final = 300


class SummaryFacts(msgspec.Struct, frozen=True, tag="summary"):
    """What a summary is made of; texts are bounded and redacted, `language` is a tag of `TONGUES`."""

    text: str
    language: str
    length: Length
    audience: str = ""


class QuestionsFacts(msgspec.Struct, frozen=True, tag="questions"):
    """What drafts are made of; texts are bounded and redacted, `language` is a tag of `TONGUES`."""

    text: str
    language: str
    count: int
    types: tuple[str, ...]
    topics: tuple[str, ...] = ()
    difficulty: int | None = None


Facts = SummaryFacts | QuestionsFacts


class Form(msgspec.Struct, frozen=True):
    """What a reply is to look like: the name of the shape, and the shape as a JSON schema."""

    name: str
    schema: JsonSchema


def prompt_for(facts: Facts, form: Form, *, fence: str) -> Prompt:
    """The prompt; `fence` is a fresh random word of small letters and digits."""
    text, macros = compiled(text_id(facts))
    return Prompt(
        reference=text.reference,
        system=macros["system"]().strip(),
        user=macros["user"](shown(facts, fence), fence).strip(),
        schema_name=form.name,
        schema=form.schema,
        max_output_tokens=tokens(facts),
    )


def key_for(facts: Facts, form: Form, *, group: str) -> bytes:
    """What stands for the request, fence left out; what `group` tells apart is never shared."""
    text, _ = compiled(text_id(facts))
    whole = {
        "prompt": [text.reference, text.digest],
        "schema": [form.name, form.schema],
        "max_output_tokens": tokens(facts),
        "group": group,
        "facts": facts,
    }
    return blake2b(msgspec.json.encode(whole, order="deterministic", enc_hook=dict), digest_size=KEY_BYTES).digest()


def text_id(facts: Facts) -> str:
    """Which text of `prompts/` speaks for it."""
    return "generate/summary" if isinstance(facts, SummaryFacts) else "generate/questions"


def tokens(facts: Facts) -> int:
    """The most that a reply may take, in output tokens."""
    if isinstance(facts, SummaryFacts):
        return SUMMARY_TOKENS[facts.length]
    return QUESTIONS_TOKENS + QUESTION_TOKENS * facts.count


def shown(facts: Facts, fence: str) -> Mapping[str, object]:
    """The facts in the words of the prompt, with nothing in them that looks like a fence."""
    if isinstance(facts, SummaryFacts):
        return {
            "text": neutralised(facts.text, fence),
            "tongue": TONGUES[facts.language],
            "extent": EXTENTS[facts.length],
            "audience": neutralised(facts.audience, fence),
        }
    return {
        "text": neutralised(facts.text, fence),
        "tongue": TONGUES[facts.language],
        "count": facts.count,
        "types": ", ".join(facts.types),
        "topics": neutralised("\n".join(facts.topics), fence),
        "difficulty": facts.difficulty,
    }


@cache
def compiled(text_id: str) -> tuple[Text, Mapping[str, Macro]]:
    """A versioned text and its macros."""
    text = load(text_id, LANGUAGE)
    return text, macros_of(text.body)
