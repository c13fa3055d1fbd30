"""In which ways an answer can be wrong, as far as rules can tell, and what of it was seen lately.

The first of these that holds names the kind of an answer with error e > 0:

    unanswered      nothing was answered
    incomplete      right in part (0 < fraction < 1)
    rushed          a choice made faster than the question can be read (see `haste`)
    misconception   the learner was sure (confidence 4 or 5 of 5)
    slip            the learner knows such questions: (P - c) / (1 - c) ≥ 0.75, with P the expected score before the
                    answer and c the guess floor
    gap             else: not known yet

Sums per kind fade as those of `recency` do, by the same half-life and window, and get what those get: an answer adds
w·e to the sum of its kind. So the sums of all kinds together are the topic's recent errors.

Sources: S. Hasan, D. Bagayoko, E. L. Kelley, "Misconceptions and the certainty of response index (CRI)", Physics
Education 34 (1999), for wrong and sure as the sign of a misconception, wrong and unsure as a lack of knowledge;
D. A. Norman, "Categorization of action slips", Psychological Review 88 (1981), for slips as errors in what is known.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from pipeline.learning.effort import is_sure
from pipeline.learning.evidence import Evidence
from pipeline.learning.recency import fading
from pipeline.model import Outcome, ScoredAnswer

KNOWN_WELL: Final = 0.75
LEAST_SHARE: Final = 0.1
"""Kinds with a smaller share of a topic's recent errors are not named."""

SHARE_DECIMALS: Final = 2


class Mistake(StrEnum):
    """The kind of an error. What is stored depends on the order: new ones go to the end, none is ever taken out."""

    UNANSWERED = "unanswered"
    RUSHED = "rushed"
    """Wrong and faster than the question can be read."""
    MISCONCEPTION = "misconception"
    """Wrong, though the learner was sure."""
    SLIP = "slip"
    """Wrong, though the learner knows such questions well."""
    INCOMPLETE = "incomplete"
    """Right in part."""
    GAP = "gap"
    """Wrong, and not known yet."""


KINDS: Final = tuple(Mistake)
PLACES: Final = {kind: place for place, kind in enumerate(KINDS)}


class MistakeShare(msgspec.Struct, frozen=True):
    """A kind of mistake and its share of a topic's recent errors, in (0, 1]."""

    kind: Mistake
    share: float


def mistake_in(scored: ScoredAnswer, evidence: Evidence, expected: float) -> Mistake | None:
    """What kind of mistake an answer is whose score was `expected` to be so high; None where it is none."""
    if scored.score.outcome is Outcome.UNANSWERED:
        return Mistake.UNANSWERED
    if evidence.error <= 0.0:
        return None
    if evidence.error < 1.0:
        return Mistake.INCOMPLETE
    if evidence.rapid:
        return Mistake.RUSHED
    if is_sure(scored.answer):
        return Mistake.MISCONCEPTION
    knowledge = (expected - evidence.guess) / (1.0 - evidence.guess)
    return Mistake.SLIP if knowledge >= KNOWN_WELL else Mistake.GAP


def mistaken(
    sums: Sequence[float], as_of: datetime, *, kind: Mistake | None, weight: float, at: datetime
) -> tuple[float, ...]:
    """Sums by kind (true at `as_of`) with one more answer of `at`, true at the later of the two times.

    `weight` is its error times what it counts; `kind` is None where it was right.
    """
    if kind is None and not sums:
        return ()
    if at < as_of:
        weight *= fading(as_of - at)
        faded = list(sums)
    else:
        left = fading(at - as_of)
        faded = [one * left for one in sums]
    if kind is not None:
        faded += [0.0] * (len(KINDS) - len(faded))
        faded[PLACES[kind]] += weight
    return tuple(faded) if any(faded) else ()


def shares(sums: Sequence[float]) -> tuple[MistakeShare, ...]:
    """The kinds worth naming, the largest share first; shares don't change while sums fade."""
    total = sum(sums)
    if total <= 0.0:
        return ()
    found = [(share, kind) for one, kind in zip(sums, KINDS, strict=False) if (share := one / total) >= LEAST_SHARE]
    found.sort(key=lambda pair: -pair[0])
    return tuple(MistakeShare(kind, round(share, SHARE_DECIMALS)) for share, kind in found)
