"""Made-up logs whose truth is known: learners who learn and forget, items of known difficulty, guessing.

    right with probability  c + (1 - c) / (1 + exp(-(θ + θₜ + gₜ - f - b)))

θ ~ N(0, 0.8²) is the learner's ability, θₜ ~ N(0, 0.5²) the bent for topic t, b ~ N(0, 1.2²) the item's
difficulty, c its guess floor. gₜ = G·(1 - exp(-n/N)) is what n answers in the topic have taught, at most
G ~ N(1, 0.3²) (never less than 0) with N = 20 answers; f = F·(1 - exp(-age/τ)), at most half of gₜ, is what was
forgotten since the topic's last answer. A share of learners is present at a time, and each answers when it is
their turn, so that learners' answers interleave as on a real system.

The order of items is the learner's own, or the same for everyone: there practice and place in the order
go together, which is what misleads a model that takes the learning of all for the ease of late items.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from math import exp
from random import Random
from typing import Final

import msgspec

from pipeline.learning.evidence import guess_floor
from pipeline.learning.rating import expected_score
from pipeline.learning.replay import LoggedAnswer

BEGIN: Final = datetime(2026, 1, 5, 8, tzinfo=UTC)
ABILITY_SPREAD: Final = 0.8
BENT_SPREAD: Final = 0.5
DIFFICULTY_SPREAD: Final = 1.2
MOST_LEARNT: Final = 1.0
MOST_LEARNT_SPREAD: Final = 0.3
PRACTICE: Final = 20.0
"""After so many answers in a topic 63 % of what can be learnt is learnt."""

FORGETTING: Final = timedelta(days=7)
MOST_FORGOTTEN: Final = 0.5
PRESENT: Final = 50
"""So many learners take turns at a time."""

BETWEEN_ANSWERS: Final = timedelta(minutes=1)
SITTING: Final = 20
"""After so many answers a learner comes back a few days later."""

MOST_DAYS_AWAY: Final = 7.0
CHOICES: Final = (0, 0, 2, 4, 5)


class Plan(msgspec.Struct, frozen=True):
    """What to make up; the same plan gives the same log to the last digit.

    Each learner answers `answers` items picked at random, all of them where it is None or there are no more.
    """

    learners: int = 1_000
    items: int = 100
    topics: int = 5
    answers: int | None = None
    same_order: bool = False
    seed: int = 1


class TrueItem(msgspec.Struct, frozen=True):
    """An item as it really is; `difficulty` in logits."""

    id: str
    topic: str
    difficulty: float
    choices: int


class _Topic(msgspec.Struct):
    bent: float
    most: float
    answers: int = 0
    last: datetime = BEGIN


class _Learner(msgspec.Struct):
    id: str
    ability: float
    topics: dict[str, _Topic]
    ahead: list[TrueItem]
    clock: datetime
    done: int = 0


def true_items(plan: Plan) -> tuple[TrueItem, ...]:
    """The items of `plan`, topics taking turns."""
    random = Random(f"{plan.seed}/items")  # noqa: S311 - made-up data, not a secret
    return tuple(
        TrueItem(
            id=f"item-{number:04}",
            topic=f"topic-{number % plan.topics}",
            difficulty=random.gauss(0.0, DIFFICULTY_SPREAD),
            choices=random.choice(CHOICES),
        )
        for number in range(plan.items)
    )


def synthesize(plan: Plan) -> Iterator[LoggedAnswer]:
    """The log of `plan`: no learner answers an item twice; `PRESENT` learners are held at a time."""
    random = Random(f"{plan.seed}/answers")  # noqa: S311 - made-up data, not a secret
    items = true_items(plan)
    waiting = iter(range(plan.learners))
    present = [_learner(number, items, plan, random) for number in islice(waiting, PRESENT)]
    while present:
        place = random.randrange(len(present))
        yield _answered(present[place], random)
        if present[place].ahead:
            continue
        number = next(waiting, None)
        if number is None:
            present.pop(place)
        else:
            present[place] = _learner(number, items, plan, random)


def _learner(number: int, items: tuple[TrueItem, ...], plan: Plan, random: Random) -> _Learner:
    picked = random.sample(range(plan.items), min(plan.answers or plan.items, plan.items))
    if plan.same_order:
        picked.sort()
    return _Learner(
        id=f"learner-{number:05}",
        ability=random.gauss(0.0, ABILITY_SPREAD),
        topics={
            f"topic-{topic}": _Topic(
                bent=random.gauss(0.0, BENT_SPREAD), most=max(random.gauss(MOST_LEARNT, MOST_LEARNT_SPREAD), 0.0)
            )
            for topic in range(plan.topics)
        },
        ahead=[items[place] for place in reversed(picked)],
        clock=BEGIN + timedelta(minutes=number),
    )


def _answered(learner: _Learner, random: Random) -> LoggedAnswer:
    item = learner.ahead.pop()
    topic = learner.topics[item.topic]
    learner.clock += timedelta(days=random.uniform(1, MOST_DAYS_AWAY)) if _back_again(learner) else BETWEEN_ANSWERS
    ability = learner.ability + topic.bent + known(topic.most, topic.answers, learner.clock - topic.last)
    correct = random.random() < expected_score(ability, item.difficulty, guess_floor(item.choices))
    topic.answers, topic.last = topic.answers + 1, learner.clock
    learner.done += 1
    return LoggedAnswer(learner.id, item.id, correct, (item.topic,), learner.clock, item.choices)


def _back_again(learner: _Learner) -> bool:
    return learner.done > 0 and learner.done % SITTING == 0


def known(most: float, answers: int, age: timedelta) -> float:
    """What is left, in logits, of what `answers` taught, `age` after the last of them."""
    learnt = most * (1.0 - exp(-answers / PRACTICE))
    return learnt * (1.0 - MOST_FORGOTTEN * (1.0 - exp(-(age / FORGETTING))))
