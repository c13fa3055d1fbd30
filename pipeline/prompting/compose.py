"""Puts what a model wrote of one answer into the text that the learner reads.

    verdict (by rule)

    what is right

    a quotation, and the misconception

    a next step

Each section becomes a paragraph of its own as soon as it is finished, so what was streamed is the text at the end.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from pipeline.prompting.facts import AnswerFacts
from pipeline.prompting.reply import Accepted
from pipeline.prompting.section import Flaw, Section, judged
from pipeline.prompting.wording import Remark, wording_of
from prompts.catalog import LANGUAGES

TEXT_ID: Final = "feedback/composed"
BREAK: Final = "\n\n"
SHOWN: Final = (Section.RIGHT, Section.QUOTATION, Section.MISCONCEPTION, Section.NEXT_STEP)
"""The sections of which the text is made, in order."""

_BLOCK: Final = re.compile(r"\s*(?:[-*+]\s|\d{1,9}[.)]\s|```|~~~)")
"""A list or code, which must begin a line."""


def compose_text(verdict_line: str, accepted: Accepted, language: str) -> str:
    """The feedback on an answer; `language` is that of the facts, `verdict_line` the rule's sentence."""
    paragraphs = [paragraph(section, getattr(accepted.sections, section), language) for section in SHOWN]
    return BREAK.join(filter(None, [verdict_line, *paragraphs]))


def section_text(name: str, value: str, facts: AnswerFacts, language: str) -> str | None:
    """The paragraph that a finished section will be in the text; None where it adds none."""
    if name not in SHOWN:
        return None
    text = judged(Section(name), value, facts)
    return None if isinstance(text, Flaw) or not text else paragraph(Section(name), text, language)


def text_so_far(verdict_line: str, finished: Mapping[str, str], facts: AnswerFacts) -> str:
    """The beginning of the text as far as it is certain from the sections that are finished, as the model wrote them.

    It grows only at its end, whatever order the sections come in, and with all of them is `compose_text`'s.
    """
    return BREAK.join(filter(None, [verdict_line, *_certain(finished, facts)]))


# The same while it is written, when it is whole, and when it is stored.
@lru_cache(maxsize=1_024)
def paragraph(section: Section, text: str, language: str) -> str:
    """A section as it stands in the text, with its label; "" for an empty one.

    In a language that we have no labels in, it stands without one, and a quotation between its marks.
    """
    spoken = language.partition("-")[0]
    if text and spoken in LANGUAGES:
        facts: dict[str, object] = {"text": text}
        if section is Section.NEXT_STEP:
            facts["block"] = _BLOCK.match(text) is not None
        return wording_of(TEXT_ID, spoken).say(Remark(section.value, facts))
    return f"“{text}”" if text and section is Section.QUOTATION else text


def _certain(finished: Mapping[str, str], facts: AnswerFacts) -> Iterator[str | None]:
    for section in SHOWN:
        if section not in finished:
            return
        yield section_text(section, finished[section], facts, facts.language)
