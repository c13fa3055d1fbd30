"""Makes a prompt of the facts of an answer, and the key that stands for it.

What people wrote stands between `<<name ID>>` and `<<end name ID>>`, where ID is random for each prompt: nobody who
writes an answer can know it. Should it be in there all the same, it is taken out, and what looks like such a line
is made to look otherwise, so that no model takes it for one.
"""

import re
from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from types import MappingProxyType
from typing import Final

import msgspec
from jinja2.runtime import Macro

from pipeline.exchange import Prompt, Purpose, Turn
from pipeline.model import Outcome
from pipeline.prompting.facts import AnswerFacts
from pipeline.prompting.language import TONGUES
from pipeline.prompting.picture import bucket_lines
from pipeline.prompting.reply import ANSWER_REPLY, SCHEMA_NAME, Rejection
from pipeline.prompting.wording import macros_of
from prompts.catalog import Text, load

LANGUAGE: Final = "en"
"""Models are instructed in English, and told which language to write in."""
MAX_OUTPUT_TOKENS: Final = 1_200
KEY_BYTES: Final = 32

_FENCE_ID: Final = re.compile(r"[0-9a-z]{8,64}")
_FENCE_LIKE: Final = re.compile(r"(?<!<)<{2,}(?=[ \t/]{0,3}[A-Za-z][\w -]{0,80}>{2,})")

_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "single_choice": "one of the options is to be chosen",
        "multiple_choice": "all fitting options are to be chosen",
        "true_false": "a statement is to be called true or false",
        "numeric": "a number is asked for",
        "short_text": "a short text is asked for",
        "cloze": "blanks are to be filled in",
        "ordering": "items are to be put in order",
        "matching": "items are to be matched",
        "essay": "an essay is asked for",
    }
)
_JUDGEMENTS: Final[Mapping[Outcome, str]] = MappingProxyType(
    {
        Outcome.CORRECT: "correct",
        Outcome.PARTIAL: "partly right",
        Outcome.INCORRECT: "not correct",
        Outcome.NEEDS_REVIEW: "undecided; a person may still decide",
        Outcome.UNANSWERED: "nothing was answered",
    }
)


def render(facts: AnswerFacts, text_id: str, *, fence: str) -> Prompt:
    """The prompt for one answer; `fence` is a fresh random word of lower-case letters and digits, at least 8 long.

    Raises `ValueError` for another fence, `FileNotFoundError` for an unknown text.
    """
    if not _FENCE_ID.fullmatch(fence):
        raise ValueError("a fence must be 8 to 64 lower-case letters and digits")
    text, macros = _compiled(text_id)
    return Prompt(
        reference=text.reference,
        system=macros["system"]().strip(),
        user=macros["user"](_shown(facts, fence), fence).strip(),
        schema_name=SCHEMA_NAME,
        schema=dict(ANSWER_REPLY),  # as JSON encoders know it
        max_output_tokens=MAX_OUTPUT_TOKENS,
    )


def request_key(facts: AnswerFacts, text_id: str, *, group: str = "") -> bytes:
    """What stands for a request: equal where the same facts go into the same words of the same prompt version.

    `group` is whatever else must not be mixed, such as the arm of an experiment. Fences have no part in it.
    """
    text = prompt_text(text_id)
    whole = {
        "purpose": Purpose.FEEDBACK,
        "prompt": [text.reference, text.digest],
        "schema": [SCHEMA_NAME, ANSWER_REPLY],
        "max_output_tokens": MAX_OUTPUT_TOKENS,
        "group": group,
        "facts": facts,
    }
    return blake2b(msgspec.json.encode(whole, order="deterministic", enc_hook=dict), digest_size=KEY_BYTES).digest()


def asked_again(prompt: Prompt, reply: str, rejection: Rejection) -> Prompt:
    """The prompt to send after a reply that will not do: the same, that reply, and what was wrong with it."""
    turns = (*prompt.turns, Turn("assistant", reply), Turn("user", rejection.problem))
    return msgspec.structs.replace(prompt, turns=turns)


def prompt_text(text_id: str) -> Text:
    """The versioned text of a prompt; raises `FileNotFoundError`."""
    return _compiled(text_id)[0]


def neutralised(text: str, fence: str) -> str:
    """`text` as data between fences: what looks like one is made to look otherwise, and their id is taken out."""
    if not text.isascii() or fence in text.lower():  # rarely: a pattern for one fence is dear
        text = re.sub(re.escape(fence), "…", text, flags=re.IGNORECASE)
    return _FENCE_LIKE.sub("‹‹", text)


def _shown(facts: AnswerFacts, fence: str) -> Mapping[str, object]:
    texts = {
        "question": facts.question,
        "options": facts.options,
        "solution": facts.solution,
        "explanation": facts.explanation,
        "response": facts.response,
        "finding": facts.finding,
        "learner": bucket_lines(facts.learner),
    }
    return {
        **{name: neutralised(text, fence) for name, text in texts.items()},
        "hidden": facts.secret is not None,
        "tongue": TONGUES[facts.language],
        "kind": _KINDS[facts.type],
        "judgement": _JUDGEMENTS[facts.outcome] + _extent(facts),
    }


def _extent(facts: AnswerFacts) -> str:
    """How much of a partly right answer is right, in words: figures would tempt to repeat them."""
    if facts.outcome is not Outcome.PARTIAL or facts.fraction is None:
        return ""
    if facts.fraction < 1 / 3:
        return ", the smaller part"
    return ", about half" if facts.fraction < 2 / 3 else ", most of it"


@cache
def _compiled(text_id: str) -> tuple[Text, Mapping[str, Macro]]:
    text = load(text_id, LANGUAGE)
    return text, macros_of(text.body)
