"""One section of a reply: whether it may be shown, and how it reads then. Independent of the others, for streaming."""

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from pipeline.model import Outcome
from pipeline.prompting.claims import claims_perfect, claims_points, claims_right, claims_wrong
from pipeline.prompting.disclosure import tells
from pipeline.prompting.facts import AnswerFacts
from pipeline.prompting.harm import imitates_fence, leads_away, unfit_code
from pipeline.prompting.markdown import tame
from pipeline.prompting.visible import folded, visible


class Section(StrEnum):
    """The parts of a reply, in the order in which they are written and shown."""

    RIGHT = "right"
    QUOTATION = "quotation"
    MISCONCEPTION = "misconception"
    NEXT_STEP = "next_step"
    SUMMARY = "summary"


SECTIONS: Final = tuple(Section)
SECTION_CHARS: Final[Mapping[Section, int]] = MappingProxyType(
    {
        Section.RIGHT: 800,
        Section.QUOTATION: 240,
        Section.MISCONCEPTION: 1_200,
        Section.NEXT_STEP: 800,
        Section.SUMMARY: 300,
    }
)
LEAST_QUOTED: Final = 2
"""A single character is found in any answer, so it is no evidence."""


class Flaw(StrEnum):
    """Why a section is dropped."""

    TOO_LONG = "too_long"
    NOT_QUOTED = "not_quoted"
    NOT_NEEDED = "not_needed"
    LINK = "link"
    CODE = "code"
    FENCE = "fence"
    POINTS = "points"
    PRAISE = "praise"
    CONTRADICTION = "contradiction"
    SOLUTION = "solution"
    LANGUAGE = "language"


# The same section is judged as soon as it is finished, when the reply is, and when it is shown: as many are kept as
# several hundred replies have that are written at once.
@lru_cache(maxsize=4_096)
def judged(section: Section, value: str, facts: AnswerFacts) -> str | Flaw:
    """The text to show of a section, "" where it is empty, or why it is dropped."""
    if len(value) > 2 * SECTION_CHARS[section]:
        return Flaw.TOO_LONG
    text = _one_line(value) if section in {Section.QUOTATION, Section.SUMMARY} else tame(value)
    if not text:
        return ""
    if len(text) > SECTION_CHARS[section] + SECTION_CHARS[section] // 4:
        return Flaw.TOO_LONG
    if section is Section.QUOTATION and not occurs(text, facts.response):
        return Flaw.NOT_QUOTED
    return _unneeded(section, facts) or _harm_in_either(section, value, text, facts) or text


def _harm_in_either(section: Section, written: str, shown: str, facts: AnswerFacts) -> Flaw | None:
    """What is wrong with a section as it was written or as it is shown: taming may break up what gave it away."""
    found = harm_in(section, written, facts)
    return found if found or shown == written else harm_in(section, shown, facts)


def harm_in(section: Section, text: str, facts: AnswerFacts) -> Flaw | None:
    """What is wrong with what a section says."""
    if leads_away(text):
        return Flaw.LINK
    if imitates_fence(text):
        return Flaw.FENCE
    if unfit_code(text, facts.teaching):
        return Flaw.CODE
    if claims_points(text, facts.teaching):
        return Flaw.POINTS
    if (
        facts.secret
        and facts.outcome is not Outcome.CORRECT
        and section is not Section.QUOTATION
        and tells(text, facts.secret)
    ):
        return Flaw.SOLUTION
    return _against_judgement(text, facts) or (_foreign(text, facts) if section is not Section.QUOTATION else None)


def occurs(quotation: str, response: str) -> bool:
    """Whether a quotation stands in the response; case, blanks and forms of characters don't matter."""
    sought = folded(quotation).strip("“”\"'«»「」『』… ")
    return len(sought) >= LEAST_QUOTED and sought in folded(response)


def _unneeded(section: Section, facts: AnswerFacts) -> Flaw | None:
    """What has no place: a misconception in an answer that is right in full, something right where nothing is."""
    full = facts.outcome is Outcome.CORRECT and facts.fraction in {None, 1.0}
    nothing = facts.outcome is Outcome.UNANSWERED
    unneeded = (section is Section.MISCONCEPTION and full) or (
        section in {Section.RIGHT, Section.QUOTATION} and nothing
    )
    return Flaw.NOT_NEEDED if unneeded else None


def _against_judgement(text: str, facts: AnswerFacts) -> Flaw | None:
    match facts.outcome:
        case Outcome.CORRECT:
            return Flaw.CONTRADICTION if claims_wrong(text) else None
        case Outcome.PARTIAL:
            return Flaw.PRAISE if claims_perfect(text) else None
        case Outcome.NEEDS_REVIEW if claims_wrong(text):
            return Flaw.CONTRADICTION
        case _:
            return Flaw.PRAISE if claims_right(text) else None


_SCRIPTS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "ko": frozenset({"HANGUL", "CJK", "LATIN"}),
        "ja": frozenset({"HIRAGANA", "KATAKANA", "CJK", "LATIN"}),
        "zh": frozenset({"CJK", "LATIN", "BOPOMOFO"}),
        "zh-Hant": frozenset({"CJK", "LATIN", "BOPOMOFO"}),
        "ru": frozenset({"CYRILLIC", "LATIN"}),
    }
)
_LATIN: Final = frozenset({"LATIN"})
_MOST_FOREIGN: Final = 6
_NAME_START: Final = re.compile(r"[A-Z]+")


def _foreign(text: str, facts: AnswerFacts) -> Flaw | None:
    """Whether it is written in a script that neither the language nor the teacher uses: nothing in it was checked."""
    scripts = [] if text.isascii() else [_script(c) for c in text if c.isalpha() and not c.isascii()]
    if len(scripts) <= _MOST_FOREIGN:
        return None
    known = _SCRIPTS.get(facts.language, _LATIN) | {_script(c) for c in facts.teaching if c.isalpha()}
    return Flaw.LANGUAGE if sum(script not in known for script in scripts) > _MOST_FOREIGN else None


def _script(character: str) -> str:
    match = _NAME_START.match(unicodedata.name(character, ""))
    return match.group() if match else ""


def _one_line(text: str) -> str:
    return tame(" ".join(visible(text).split()))
