"""Recent errors as two numbers that fade, so that no history is ever read again.

Each answer with error e (0 right, 1 wrong) and weight w adds w·e to `errors` and w to `answers`; both halve
every `HALF_LIFE`. Fading a sum fades each of its terms, so the pair always equals

    errors  = Σ wᵢ·eᵢ·2^(-ageᵢ / HALF_LIFE)        answers = Σ wᵢ·2^(-ageᵢ / HALF_LIFE)

over all answers since the last silence longer than `WINDOW`, and it is kept up in O(1).
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec

HALF_LIFE: Final = timedelta(days=2)
"""An answer of two days ago counts half, one of a week ago an eleventh."""

WINDOW: Final = timedelta(days=7)
"""A topic silent for longer than this has no recent answers."""


class Recent(msgspec.Struct, frozen=True):
    """Weighted sums of errors and of answers in one topic, as of a time kept beside them."""

    errors: float = 0.0
    answers: float = 0.0


NOTHING_RECENT: Final = Recent()


def fading(age: timedelta) -> float:
    """What is left after `age` of a weight of 1: in (0, 1] inside the window, 0 beyond it."""
    return 0.0 if age > WINDOW else 2.0 ** -(age / HALF_LIFE)


def faded(recent: Recent, age: timedelta) -> Recent:
    """`recent` as it stands `age` later."""
    left = fading(age)
    return Recent(errors=recent.errors * left, answers=recent.answers * left)


def remembered(recent: Recent, as_of: datetime, *, error: float, weight: float, at: datetime) -> Recent:
    """`recent` (true at `as_of`) with one more answer of `at`, true at the later of the two times.

    An answer that arrives late is faded to `as_of` instead, so clocks that disagree do no harm.
    """
    if at < as_of:
        weight *= fading(as_of - at)
    else:
        recent = faded(recent, at - as_of)
    return Recent(errors=recent.errors + weight * error, answers=recent.answers + weight)
