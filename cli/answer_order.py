"""The order of a log's answers: taken from a column instead of the file, or doubted where times run backwards."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from msgspec.structs import replace

from pipeline.learning.evidence import UNSORTED_TOPIC
from pipeline.learning.replay import UNTIMED, LoggedAnswer


class Placed(NamedTuple):
    """An answer and where it stands in the order, smaller places first."""

    place: float
    answer: LoggedAnswer


def in_order(placed: Iterable[Placed]) -> Iterator[LoggedAnswer]:
    """The answers by their places, those of one place as they came; all of them are held at a time.

    Lines of one place, learner, item and outcome are one answer, told once for each of its skills.
    """
    for _, here in groupby(sorted(placed, key=attrgetter("place")), key=attrgetter("place")):
        together: dict[tuple[str, str, bool], LoggedAnswer] = {}
        for _, answer in here:
            key = answer.user, answer.item, answer.correct
            known = together.get(key)
            together[key] = answer if known is None else replace(known, skills=united(known.skills, answer.skills))
        yield from together.values()


def united(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """The skills of both, each once; no skill beside a skill is none."""
    skills = dict.fromkeys((*one, *other))
    if len(skills) > 1:
        skills.pop(UNSORTED_TOPIC, None)
    return tuple(skills)


class Backwards:
    """How many answers are older than one that the same learner gave further up in the log."""

    def __init__(self) -> None:
        self.answers = 0
        self._latest: dict[str, datetime] = {}

    def watch(self, answers: Iterable[LoggedAnswer]) -> Iterator[LoggedAnswer]:
        """The answers as they come; one without a time is neither older nor newer."""
        for answer in answers:
            if answer.at != UNTIMED:
                latest = self._latest.setdefault(answer.user, answer.at)
                if answer.at < latest:
                    self.answers += 1
                else:
                    self._latest[answer.user] = answer.at
            yield answer
