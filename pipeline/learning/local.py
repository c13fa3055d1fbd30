"""Hand-ins where the learner is, and what several of them come to."""

from collections.abc import Iterable
from datetime import date, tzinfo
from typing import Final

import msgspec

from pipeline.learning.session import Answered, HandIn

DECIMALS: Final = 4


class Local(msgspec.Struct, frozen=True):
    """A hand-in with the day and the hour that it fell on where the learner is."""

    day: date
    hour: int
    hand_in: HandIn


def local_to(zone: tzinfo, hand_in: HandIn) -> Local:
    at = hand_in.at.astimezone(zone)
    return Local(at.date(), at.hour, hand_in)


def answers_of(local: Iterable[Local]) -> list[Answered]:
    return [answer for one in local for answer in one.hand_in.answers]


def accuracy_of(answers: Iterable[Answered]) -> float | None:
    """Right answers as a share of those that have a score."""
    scored = [answer.correct for answer in answers if answer.scored]
    return round(sum(scored) / len(scored), DECIMALS) if scored else None
