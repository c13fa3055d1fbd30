"""What practice teaches, in logits, as it follows from the number of answers given in a topic.

    one more answer after n of them   G·ln((n + 5)/(n + 4))
    all n of them                     G·ln((n + 4)/4)

Source: Koedinger et al., "An astonishing regularity in student learning rate", PNAS 120 (2023), for gains of about
0.1 logits per early practice, of which G = 0.25 takes half, as not every answer is followed by instruction.
"""

from math import log
from typing import Final

PRACTICE_GAIN: Final = 0.25
PRACTICE_START: Final = 4


def practice_gain(answers: int) -> float:
    """What one more answer in a topic teaches on average after `answers` of them, in logits."""
    return PRACTICE_GAIN * log((answers + PRACTICE_START + 1) / (answers + PRACTICE_START))


def practised(answers: int) -> float:
    """What `answers` in a topic have taught on average since the first of them, in logits."""
    return PRACTICE_GAIN * log((answers + PRACTICE_START) / PRACTICE_START)
