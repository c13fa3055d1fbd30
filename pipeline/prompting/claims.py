"""Whether a text claims what only the rules may say: that an answer is right, or wrong, or what it is worth.

Word lists, as a check of last resort: the prompt forbids such claims, and what gets through all the same is dropped
here, in any of these languages whatever the learner's is. In doubt a sentence counts as a claim: that costs a
section of feedback, the contrary a learner's trust. "You are right that …", "your reasoning up to … is right" and
"a good start" are no claims on the answer.
"""

import re
from functools import lru_cache
from typing import Final

from pipeline.prompting.marking import COUNTED, OWN_MATTER, POINTS
from pipeline.prompting.praise import PERFECT, RIGHT, WRONG
from pipeline.prompting.reading import readings

_SENTENCE_END: Final = re.compile(r"(?<=[!?。！？])\s*|(?<=\.)\s+|\n+")
# The characters of these lists that traditional Chinese writes otherwise.
_SIMPLIFIED: Final = str.maketrans("確對選擇滿無誤錯問題沒優準說評數績給們", "确对选择满无误错问题没优准说评数绩给们")


def claims_right(text: str) -> bool:
    """Whether it says that the answer as a whole is right."""
    return any(RIGHT.found_in(one) or PERFECT.found_in(one) for one in _sentences(text))


def claims_perfect(text: str) -> bool:
    """Whether it says that the answer is right in everything."""
    return any(PERFECT.found_in(one) for one in _sentences(text))


def claims_wrong(text: str) -> bool:
    """Whether it says that the answer as a whole is wrong."""
    return any(WRONG.found_in(one) for one in _sentences(text))


def claims_points(text: str, teaching: str) -> bool:
    """Whether it speaks of points, marks or grades; plain counts of points may be the matter of the question."""
    if any(POINTS.found_in(one) for one in _sentences(text)):
        return True
    about_points = any(OWN_MATTER.search(reading) for reading in readings(teaching))
    return not about_points and any(COUNTED.search(one) for one in _sentences(text))


@lru_cache(maxsize=256)  # one section is read by several checks, one after the other
def _sentences(text: str) -> tuple[str, ...]:
    """All sentences in all readings: each line by itself, and across lines; in simplified characters as well."""
    ways = {way: None for reading in readings(text) for way in (reading, reading.replace("\n", " "))}
    found = {sentence.strip(): None for way in ways for sentence in _SENTENCE_END.split(way)}
    spoken = [sentence for sentence in found if sentence]
    simplified = [sentence.translate(_SIMPLIFIED) for sentence in spoken if not sentence.isascii()]
    return (*spoken, *dict.fromkeys(simplified))
