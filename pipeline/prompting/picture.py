"""The learner as a prompt may know them: in a few coarse words, so that requests can be shared and tell of nobody.

No id, name or number of a learner is in here, and the words that come from outside are short labels.
"""

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from pipeline.model import Outcome, Question
from pipeline.prompting.feedback import LearnerPicture
from pipeline.prompting.visible import visible

LOW_ACCURACY: Final = 0.5
HIGH_ACCURACY: Final = 0.8
TOPIC_LIMIT: Final = 3
"""Weak topics of one question that are named."""
LABEL_CHARS: Final = 40
LABEL_WORDS: Final = 4
"""A label of more words is a sentence, and sentences can instruct; it is left out."""

PERSONALIZED: Final = "feedback/personalized"
WEAKNESS_FOCUSED: Final = "feedback/weakness_focused"
ENCOURAGEMENT: Final = "feedback/encouragement"
PROJECT_SUGGESTION: Final = "feedback/project_suggestion"
PROMPTS: Final = (PERSONALIZED, WEAKNESS_FOCUSED, ENCOURAGEMENT, PROJECT_SUGGESTION)

_NO_LABEL: Final = re.compile(r"[^\w +#&./-]")
_DIGITS: Final = re.compile(r"\d{4,}")


class Accuracy(StrEnum):
    """How much of the latest answers was right: under a half, up to four fifths, or more."""

    LOW = "low"
    MIDDLE = "middle"
    HIGH = "high"
    UNKNOWN = "unknown"


class Bucket(msgspec.Struct, frozen=True):
    """What a prompt is told of the learner, for one answer; "" where a part is unknown.

    `weak_topics` are those of the question that have been hard lately, the hardest first; `mistakes` is what kind of
    mistakes prevails in the hardest, in words of ours.
    """

    level: str = ""
    accuracy: Accuracy = Accuracy.UNKNOWN
    weak_topics: tuple[str, ...] = ()
    career_goal: str = ""
    industry: str = ""
    mistakes: str = ""


def bucket_of(picture: LearnerPicture, question: Question) -> Bucket:
    """The bucket that a learner falls into at this question."""
    weak = [topic for topic in picture.weaknesses if topic in question.topics]
    kinds = dict(zip(picture.weaknesses, picture.mistakes, strict=False))
    return Bucket(
        level=label(picture.level),
        accuracy=accuracy_band(picture.recent_accuracy),
        weak_topics=tuple(filter(None, map(label, weak[:TOPIC_LIMIT]))),
        career_goal=label(picture.career_goal),
        industry=label(picture.industry),
        mistakes=KINDS_OF_MISTAKES.get(kinds.get(weak[0], ""), "") if weak else "",
    )


def accuracy_band(accuracy: float | None) -> Accuracy:
    """The band of a share of right answers in [0, 1]; a band begins at its lower border."""
    if accuracy is None:
        return Accuracy.UNKNOWN
    if accuracy < LOW_ACCURACY:
        return Accuracy.LOW
    return Accuracy.MIDDLE if accuracy < HIGH_ACCURACY else Accuracy.HIGH


def label(text: str | None) -> str:
    """A word or a few from outside, in lower case and made of letters, digits and `+#&./-`.

    "" for what is no label: too many words or characters, an address, or a longer number, which might be somebody's.
    """
    if not text or len(text) > 4 * LABEL_CHARS or "@" in text:
        return ""
    plain = unicodedata.normalize("NFKC", visible(text)).replace("_", " ").lower()
    words = _NO_LABEL.sub(" ", plain).split()
    made = " ".join(words)
    known = 0 < len(words) <= LABEL_WORDS and len(made) <= LABEL_CHARS and not _DIGITS.search(made)
    return made if known else ""


def choose_prompt(outcome: Outcome, bucket: Bucket) -> str:
    """Which prompt an answer gets, by the first of these that holds.

    - judged correct: `project_suggestion` where a career goal is known, else `personalized`
    - little right lately: `encouragement`, even where the topic is weak: to whom most is hard, a single
      weakness says little
    - a topic of the question is weak: `weakness_focused`
    - else `personalized`
    """
    if outcome is Outcome.CORRECT:
        return PROJECT_SUGGESTION if bucket.career_goal else PERSONALIZED
    if bucket.accuracy is Accuracy.LOW:
        return ENCOURAGEMENT
    return WEAKNESS_FOCUSED if bucket.weak_topics else PERSONALIZED


KINDS_OF_MISTAKES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "unanswered": "nothing answered",
        "rushed": "answered in haste",
        "misconception": "sure of what is not so",
        "slip": "slips in what is known",
        "incomplete": "right only in part",
        "gap": "not known yet",
    }
)
"""The kinds of mistakes that are told of, each in a few words; of any other nothing is said."""

_FIELDS: Final[Mapping[str, str]] = MappingProxyType(
    {"level": "level", "career_goal": "works towards", "industry": "field of work"}
)


def bucket_lines(bucket: Bucket) -> str:
    """What is known, a line each; "" where nothing is."""
    lines = [f"{name}: {value}" for field, name in _FIELDS.items() if (value := getattr(bucket, field))]
    if bucket.weak_topics:
        lines.append(f"hard lately: {', '.join(bucket.weak_topics)}")
    if bucket.mistakes:
        lines.append(f"mostly because: {bucket.mistakes}")
    return "\n".join(lines)
