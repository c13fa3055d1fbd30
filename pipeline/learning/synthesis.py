"""Made-up logs whose truth is known: learners who learn and forget, items of known difficulty, guessing.

    right with probability  c + (1 - c) / (1 + exp(-(θ + θₜ + gₜ - f - b)))

θ ~ N(0, 0.8²) is the learner's ability, θₜ ~ N(0, 0.5²) the bent for topic t, b ~ N(0, 1.2²) the item's
difficulty, c its guess floor. gₜ = G·(1 - exp(-n/N)) is what n answers in the topic have taught, at most
G ~ N(1, 0.3²) (never less than 0) with N = 20 answers; f = F·(1 - exp(-age/τ)), at most half of gₜ, is what was
forgotten since the topic's last answer. A share of learners is present at a time, and each answers when it is
their turn, so that learners' answers interleave as on a real system.

The order of items is the learner's own, or the same for everyone: there practice and place in the order
go together, which is what misleads a model that takes the learning of all for the ease of late items.

A share of learners may be hurried: a third of their choices they guess in 1.5 s, right with probability c, and learn
nothing by it. All other answers take M·exp(0.5·N(0, 1) - 0.2·(θ + θₜ + gₜ - f - b)), M = 6 s + 25 ms per character
of the item: who knows better is quicker, as in W. J. van der Linden, "A lognormal model for response times on test
items", Journal of Educational and Behavioral Statistics 31 (2006).
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from math import exp
from random import Random
from typing import Final

import msgspec

from pipeline.learning.evidence import guess_floor
from pipeline.learning.pooling import expected_score
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

RUSHED: Final = 1 / 3
RUSHED_MS: Final = 1_500.0
LEAST_MS: Final = 6_000.0
CHARACTER_MS: Final = 25.0
TIME_SPREAD: Final = 0.5
QUICKER: Final = 0.2
CHARACTERS: Final = (80, 150, 400, 1_200)


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
    hurried: float = 0.0
    """The share of learners who guess without reading now and then, 0 to 1."""


class TrueItem(msgspec.Struct, frozen=True):
    """An item as it really is; `difficulty` in logits, `characters` to read."""

    id: str
    topic: str
    difficulty: float
    choices: int
    characters: int


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
    hurried: bool
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
            characters=CHARACTERS[number // plan.topics % len(CHARACTERS)],
        )
        for number in range(plan.items)
    )


def synthesize(plan: Plan) -> Iterator[LoggedAnswer]:
    """The log of `plan`: no learner answers an item twice; `PRESENT` learners are held at a time."""
    random = Random(f"{plan.seed}/answers")  # noqa: S311 - made-up data, not a secret
    pace = Random(f"{plan.seed}/times")  # noqa: S311 - made-up data, not a secret
    items = true_items(plan)
    waiting = iter(range(plan.learners))
    present = [_learner(number, items, plan, random, pace) for number in islice(waiting, PRESENT)]
    while present:
        place = random.randrange(len(present))
        yield _answered(present[place], random, pace)
        if present[place].ahead:
            continue
        number = next(waiting, None)
        if number is None:
            present.pop(place)
        else:
            present[place] = _learner(number, items, plan, random, pace)


def _learner(number: int, items: tuple[TrueItem, ...], plan: Plan, random: Random, pace: Random) -> _Learner:
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
        hurried=pace.random() < plan.hurried,
    )


def _answered(learner: _Learner, random: Random, pace: Random) -> LoggedAnswer:
    item = learner.ahead.pop()
    topic = learner.topics[item.topic]
    learner.clock += timedelta(days=random.uniform(1, MOST_DAYS_AWAY)) if _back_again(learner) else BETWEEN_ANSWERS
    ability = learner.ability + topic.bent + known(topic.most, topic.answers, learner.clock - topic.last)
    rushed = learner.hurried and item.choices > 0 and pace.random() < RUSHED
    guess = guess_floor(item.choices)
    correct = random.random() < (guess if rushed else expected_score(ability, item.difficulty, guess))
    topic.answers, topic.last = topic.answers + (not rushed), learner.clock
    learner.done += 1
    return LoggedAnswer(
        learner.id,
        item.id,
        correct,
        (item.topic,),
        learner.clock,
        item.choices,
        response_time_ms=round(took_ms(item, None if rushed else ability, pace.gauss(0.0, TIME_SPREAD))),
        characters=item.characters,
    )


def took_ms(item: TrueItem, ability: float | None, luck: float) -> float:
    """How long an answer takes by somebody of `ability`, None standing for somebody who does not read."""
    if ability is None:
        return RUSHED_MS * exp(luck)
    return (LEAST_MS + CHARACTER_MS * item.characters) * exp(luck - QUICKER * (ability - item.difficulty))


def _back_again(learner: _Learner) -> bool:
    return learner.done > 0 and learner.done % SITTING == 0


def known(most: float, answers: int, age: timedelta) -> float:
    """What is left, in logits, of what `answers` taught, `age` after the last of them."""
    learnt = most * (1.0 - exp(-answers / PRACTICE))
    return learnt * (1.0 - MOST_FORGOTTEN * (1.0 - exp(-(age / FORGETTING))))
