"""What the time and the confidence of an answer say of the effort behind it.

    sure         confidence 4 or 5 of 5
    fast         answered within twice the reading time plus 4 s, and not faster than it can be read (`haste`)
    effortless   sure; where no confidence was told, fast

The reading time is 68 ms per character of the question and its options, the mean of 14 languages; a character of
Korean, Japanese or Chinese counts three, as in `haste`. The other figures are round.

Source: S. Trauzettel-Klosinski, K. Dietz, "Standardized assessment of reading performance: the new International
Reading Speed Texts IReST", Investigative Ophthalmology & Visual Science 53 (2012).
"""

from typing import Final

from pipeline.learning.haste import characters_of, is_rapid
from pipeline.model import Answer

READING_MS: Final = 68
FAST_SHARE: Final = 2
FAST_THOUGHT_MS: Final = 4_000
SURE: Final = 4


def is_sure(answer: Answer) -> bool:
    """Whether the learner said to be sure."""
    return answer.confidence is not None and answer.confidence >= SURE


def is_effortless(answer: Answer) -> bool:
    """Whether the answer came easily, as far as the learner or the clock tells."""
    return is_sure(answer) if answer.confidence is not None else is_fast(answer)


def is_fast(answer: Answer) -> bool:
    """Whether hardly any thought was needed; False where no time was told."""
    took = answer.response_time_ms
    if took is None or is_rapid(answer):
        return False
    return took <= FAST_SHARE * READING_MS * characters_of(answer.question) + FAST_THOUGHT_MS
