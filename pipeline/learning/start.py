"""Where the rating of a question begins that nobody has answered: how far are such questions off their levels?

Its level says how hard its author thinks it is. How far questions proved to be off theirs so far, all of them and those
of the same topics, is the best guess of how far the next one will be:

    all questions       m = Σ (b - l) / (N + M)
    those of a topic    mₜ = (Σₜ (b - l) + M·m) / (Nₜ + M)
    a new question      b₀ = l + mean of mₜ over its topics, which is held in [-2, 2]

b is a question's rating, l its level (-2 … 2), the sums are over the questions that were answered. M = 4 is what the
guess of before counts, in questions. Source: A. Gelman, J. Hill, "Data analysis using regression and multilevel/
hierarchical models" (2007), chapter 12, for means of groups that are drawn to the mean of all.
"""

from collections.abc import Iterable
from math import fsum
from typing import Final, Protocol

GUESSED: Final = 4
MOST_SHIFT: Final = 2.0


class _Off:
    """How far some questions are off their levels, all together, and how many they are."""

    def __init__(self) -> None:
        self.sum = 0.0
        self.questions = 0

    def note(self, change: float, questions: int) -> None:
        self.sum += change
        self.questions += questions

    def mean(self, guess: float) -> float:
        return (self.sum + GUESSED * guess) / (self.questions + GUESSED)


class Shifts:
    """How far new questions begin off their levels, as those that were answered tell."""

    def __init__(self) -> None:
        self._all = _Off()
        self._topics: dict[str, _Off] = {}

    def note(self, topics: Iterable[str], change: float, *, new: bool) -> None:
        """A question of these topics moved by `change`: from its level where it is `new`, else from where it was."""
        self.add(None, change, int(new))
        for topic in topics:
            self.add(topic, change, int(new))

    def add(self, topic: str | None, change: float, questions: int) -> None:
        """So many more questions of a topic, of all of them for None, are off their levels by `change` together."""
        (self._all if topic is None else self._topics.setdefault(topic, _Off())).note(change, questions)

    def of(self, topics: tuple[str, ...]) -> float:
        """How far a new question of these topics (at least one) begins off its level, in logits."""
        everywhere = self._all.mean(0.0)
        means = [self._topics[topic].mean(everywhere) if topic in self._topics else everywhere for topic in topics]
        return min(max(fsum(means) / len(means), -MOST_SHIFT), MOST_SHIFT)


class Proved(Protocol):
    """A question, how hard it is thought to be and how hard it proved to be, in logits."""

    @property
    def topics(self) -> tuple[str, ...]: ...
    @property
    def level(self) -> float: ...
    @property
    def difficulty(self) -> float: ...


def shifts_of(answered: Iterable[Proved]) -> Shifts:
    """What these questions tell, each of which was answered."""
    shifts = Shifts()
    for one in answered:
        shifts.note(one.topics, one.difficulty - one.level, new=True)
    return shifts


def shifts_from(sums: Iterable[tuple[str | None, float, int]]) -> Shifts:
    """What was added up elsewhere: for each topic, and under None for all, how far off and how many questions."""
    shifts = Shifts()
    for topic, change, questions in sums:
        shifts.add(topic, change, questions)
    return shifts
