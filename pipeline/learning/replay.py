"""A log of answers replayed in its order: each answer is predicted before it is seen, then learnt from.

`Ratings` holds what a store would hold and moves it by the functions that the product runs. Beside it stand the
baselines that anything worth its cost has to beat. None is told anything about the log beforehand.

    mean        share of right answers so far, of all learners and items
    item mean   share of right answers so far to this item, starting from the mean as if it were one answer
    elo         one rating per learner and one per item, no skills: θ += U·(S - P), b -= U·(S - P),
                P = 1 / (1 + exp(b - θ)), U(n) = 1 / (1 + 0.05·n); constants as published, not tuned

Source of `elo`: R. Pelánek, Computers & Education 98 (2016), section 2.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import Final, Protocol

import msgspec

from pipeline.learning.evaluation import Tally
from pipeline.learning.evidence import FEWEST_CHOICES, RAPID_WEIGHT, UNSORTED_TOPIC, Evidence, guess_floor
from pipeline.learning.haste import reading_ms
from pipeline.learning.pooling import expected_score
from pipeline.learning.rating import MIDDLE_DIFFICULTY, ItemRating, Learner
from pipeline.learning.start import Shifts

UNTIMED: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""When an answer was given whose log tells no times."""

ELO_STEP_DECAY: Final = 0.05


class LoggedAnswer(msgspec.Struct, frozen=True):
    """One line of a log.

    `choices` is how many options the item offers, 0 where unknown; `difficulty` is 1 to 5; `response_time_ms` is how
    long the answer took, None where unknown, and `characters` how much of the item there is to read, 0 where unknown.
    """

    user: str
    item: str
    correct: bool
    skills: tuple[str, ...] = (UNSORTED_TOPIC,)
    at: datetime = UNTIMED
    choices: int = 0
    difficulty: int = MIDDLE_DIFFICULTY
    response_time_ms: int | None = None
    characters: int = 0


class Predictor(Protocol):
    """Something that guesses the next answer of a log from those before it."""

    def step(self, answer: LoggedAnswer) -> float:
        """The probability that `answer` is right, told without looking at `correct`; then learn from it."""
        ...


class Ratings:
    """What the product learns: learners by user, items' ratings by item.

    `rapid_weight` is what a choice counts that was made faster than it can be read.
    """

    def __init__(self, rapid_weight: float = RAPID_WEIGHT) -> None:
        self._rapid_weight = rapid_weight
        self.learners: defaultdict[str, Learner] = defaultdict(partial(Learner, {}))
        self.items: dict[str, ItemRating] = {}
        self._shifts = Shifts()

    def step(self, answer: LoggedAnswer) -> float:
        level, known = float(answer.difficulty - MIDDLE_DIFFICULTY), self.items.get(answer.item)
        item = known or ItemRating(level + self._shifts.of(answer.skills))
        effect = self.learners[answer.user].learn(item, evidence_in(answer, self._rapid_weight), answer.at)
        self.items[answer.item] = effect.item
        before = level if known is None else known.rating
        self._shifts.note(answer.skills, effect.item.rating - before, new=known is None)
        return effect.change.expected


class Mean:
    """The share of right answers so far; one half before the first."""

    def __init__(self) -> None:
        self.right = 0
        self.answers = 0

    @property
    def share(self) -> float:
        return self.right / self.answers if self.answers else 0.5

    def step(self, answer: LoggedAnswer) -> float:
        share = self.share
        self.right += answer.correct
        self.answers += 1
        return share


class ItemMean:
    """The share of right answers so far to each item, starting from the mean of all as if it were one answer."""

    def __init__(self) -> None:
        self._all = Mean()
        self._items: defaultdict[str, Mean] = defaultdict(Mean)

    def step(self, answer: LoggedAnswer) -> float:
        mean, item = self._all.step(answer), self._items[answer.item]
        predicted = (item.right + mean) / (item.answers + 1)
        item.step(answer)
        return predicted


class PlainElo:
    """One rating per learner and per item, each as (rating, answers)."""

    def __init__(self) -> None:
        self.users: dict[str, tuple[float, int]] = {}
        self.items: dict[str, tuple[float, int]] = {}

    def step(self, answer: LoggedAnswer) -> float:
        ability, met = self.users.get(answer.user, (0.0, 0))
        difficulty, asked = self.items.get(answer.item, (0.0, 0))
        expected = expected_score(ability, difficulty)
        surprise = answer.correct - expected
        self.users[answer.user] = (ability + surprise / (1.0 + ELO_STEP_DECAY * met), met + 1)
        self.items[answer.item] = (difficulty - surprise / (1.0 + ELO_STEP_DECAY * asked), asked + 1)
        return expected


OWN: Final = "gradeline"


def predictors() -> Mapping[str, Predictor]:
    """The model and its baselines, all of them new, the model first."""
    return MappingProxyType(
        {
            OWN: Ratings(),
            "elo": PlainElo(),
            "item mean": ItemMean(),
            "mean": Mean(),
        }
    )


def replay(answers: Iterable[LoggedAnswer], over: Mapping[str, Predictor]) -> dict[str, Tally]:
    """Each predictor's tally after all `answers`, read once and kept nowhere."""
    tallies = {name: Tally() for name in over}
    pairs = [(predictor.step, tallies[name].add) for name, predictor in over.items()]
    for answer in answers:
        for step, add in pairs:
            add(step(answer), right=answer.correct)
    return tallies


def evidence_in(answer: LoggedAnswer, rapid_weight: float = RAPID_WEIGHT) -> Evidence:
    """A logged answer as the rating sees it: settled, right or wrong."""
    weight = rapid_weight if is_rapid(answer) else 1.0
    return Evidence(
        question_id=answer.item,
        topics=answer.skills,
        guess=guess_floor(answer.choices),
        outcome=float(answer.correct),
        error=float(not answer.correct),
        correct=answer.correct,
        learner_weight=weight,
        item_weight=weight,
    )


def is_rapid(answer: LoggedAnswer) -> bool:
    """Whether a choice was made before its item can have been read, as `haste` says of answers handed in."""
    took = answer.response_time_ms
    return took is not None and answer.choices >= FEWEST_CHOICES and took < reading_ms(answer.characters)
