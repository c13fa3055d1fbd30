"""The question bank, shelved once per version so that fitting questions are found without a search.

For each topic and each kind of recommendation the candidates stand on shelves by the ability they fit:

    fitting ability  =  (difficulty + ln(q / (1 - q))) / s,     q = (target - c) / (1 - c) held in [0.25, 0.95]

which solves "expected score = target" for an ability that is certain, with c the guess floor and s how much the
question's uncertainty stretches abilities (`pooling`). A shelf is a quarter of a logit wide: within it the expected
scores differ by at most 0.06, less than ratings can tell apart.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from math import floor, log
from sys import intern
from types import MappingProxyType
from typing import Final
from zlib import crc32

import msgspec

from pipeline.learning.evidence import choices_of, guess_floor, topics_of
from pipeline.learning.pooling import ITEM_VARIANCE, Estimate, difficulty_of, stretching
from pipeline.learning.rating import ItemRating, first_item_rating
from pipeline.model import Question

UNRATED_TYPES: Final = frozenset({"essay"})
"""What no rule rates: practising it would never show in a weakness or a review, so it is not recommended."""

SHELF_WIDTH: Final = 0.25
LEAST_KNOWLEDGE: Final = 0.25
MOST_KNOWLEDGE: Final = 0.95
"""Bounds of q: a target below the guess floor would otherwise ask for an impossible question."""


class Kind(StrEnum):
    """Why a question is recommended."""

    WEAKNESS = "weakness"
    REVIEW = "review"
    CHALLENGE = "challenge"


TARGETS: Final[Mapping[Kind, float]] = MappingProxyType({Kind.WEAKNESS: 0.75, Kind.REVIEW: 0.85, Kind.CHALLENGE: 0.55})
"""The expected score that each kind aims at: within reach, nearly sure, and open."""


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """A question as the selection sees it: at least one topic, `difficulty` in logits, `choices` or 0.

    `variance` says how uncertain the difficulty is, `level` how hard its author thinks it is. A bank may hold a hundred
    thousand of these, so they share what is equal (see `candidate_of`) and the garbage collector passes them by: they
    are in no circle.
    """

    question_id: str
    topics: tuple[str, ...]
    difficulty: float
    choices: int = 0
    module: str | None = None
    variance: float = 0.0
    type: str = ""
    language: str = "en"
    level: float = 0.0

    @property
    def is_answered(self) -> bool:
        """Whether anything is known of its difficulty but its level."""
        return self.variance < ITEM_VARIANCE


class Shelves(msgspec.Struct, frozen=True):
    """Candidates by the shelf they stand on; `numbers` ascend and run parallel to `rows`.

    `modules` are those of all candidates together.
    """

    numbers: tuple[int, ...] = ()
    rows: tuple[tuple[Candidate, ...], ...] = ()
    modules: frozenset[str | None] = frozenset()

    def outward(self, ability: float, spin: int) -> Iterator[Candidate]:
        """All candidates, the best fitting shelf first, of two equally far ones the easier.

        Within a shelf the order is fixed and starts at a place that `spin` (≥ 0) chooses.
        """
        here = shelf_of(ability)
        above = bisect_left(self.numbers, here)
        below = above - 1
        while below >= 0 or above < len(self.rows):
            if _below_is_next(self.numbers, below, above, here):
                row, below = self.rows[below], below - 1
            else:
                row, above = self.rows[above], above + 1
            start = spin % len(row)
            yield from row[start:]
            yield from row[:start]


NO_SHELVES: Final = Shelves()


class CandidateIndex(msgspec.Struct, frozen=True):
    """A whole bank, shelved by kind and topic; build it by `index_candidates`, once per bank version."""

    topics: tuple[str, ...]
    shelves: Mapping[tuple[Kind, str], Shelves]
    targets: Mapping[Kind, float]


def candidate_of(question: Question, rating: ItemRating | None = None) -> Candidate:
    """`question` as a candidate, as hard as it proved to be or else as its level says."""
    difficulty = _estimate(rating or first_item_rating(question))
    return Candidate(
        question_id=question.id,
        topics=_shared(topics_of(question)),
        difficulty=difficulty.mean,
        choices=choices_of(question),
        module=None if question.module is None else intern(question.module),
        variance=difficulty.variance,
        type=intern(question.type),
        language=intern(primary_language(question.language)),
        level=first_item_rating(question).rating,
    )


def primary_language(tag: str) -> str:
    """`pt` of the BCP 47 tag `pt-BR`."""
    return tag.partition("-")[0].lower()


def index_candidates(candidates: Iterable[Candidate], targets: Mapping[Kind, float] = TARGETS) -> CandidateIndex:
    """Shelve `candidates` (each id once) for every kind in `targets`; O(n·log n)."""
    return changed(CandidateIndex((), MappingProxyType({}), targets), (), candidates)


def changed(index: CandidateIndex, gone: Iterable[Candidate], new: Iterable[Candidate]) -> CandidateIndex:
    """`index` without the candidates in `gone` (as they stand in it) and with those in `new`.

    Only the shelves that these stand on are made anew; all others are shared with `index`, which stays as it is.
    """
    taken, put = _placed(gone, index.targets), _placed(new, index.targets)
    shelves = dict(index.shelves)
    for place in {**taken, **put}:
        rows = _rearranged(shelves.get(place, NO_SHELVES), taken.get(place, {}), put.get(place, {}))
        if rows.numbers:
            shelves[place] = rows
        else:
            del shelves[place]
    topics = tuple(sorted({topic for _, topic in shelves}))
    return CandidateIndex(topics, MappingProxyType(shelves), index.targets)


def fitting_ability(candidate: Candidate, target: float) -> float:
    """The ability at which `candidate` is expected to score `target`, were the ability certain."""
    guess = guess_floor(candidate.choices)
    knowledge = min(max((target - guess) / (1.0 - guess), LEAST_KNOWLEDGE), MOST_KNOWLEDGE)
    return (candidate.difficulty + log(knowledge / (1.0 - knowledge))) / stretching(candidate.variance)


def shelf_of(ability: float) -> int:
    """The number of the shelf that serves `ability`."""
    return floor(ability / SHELF_WIDTH)


_Placed = dict[tuple[Kind, str], dict[int, list[Candidate]]]


def _placed(candidates: Iterable[Candidate], targets: Mapping[Kind, float]) -> _Placed:
    """Where each candidate stands: by kind and topic, then by the number of the shelf."""
    places: _Placed = {}
    for candidate in candidates:
        if candidate.type in UNRATED_TYPES:
            continue
        for kind, target in targets.items():
            number = shelf_of(fitting_ability(candidate, target))
            for topic in candidate.topics:
                places.setdefault((kind, topic), {}).setdefault(number, []).append(candidate)
    return places


def _rearranged(
    shelves: Shelves, taken: Mapping[int, Sequence[Candidate]], put: Mapping[int, Sequence[Candidate]]
) -> Shelves:
    rows = dict(zip(shelves.numbers, shelves.rows, strict=True))
    for number in {**taken, **put}:
        gone = {candidate.question_id for candidate in taken.get(number, ())}
        left = [candidate for candidate in rows.pop(number, ()) if candidate.question_id not in gone]
        left += put.get(number, ())
        if left:
            rows[number] = tuple(sorted(left, key=_shuffled))
    numbers = tuple(sorted(rows))
    modules = _modules_after(shelves.modules, rows.values(), taken, put)
    return Shelves(numbers, tuple(rows[number] for number in numbers), modules)


def _modules_after(
    before: frozenset[str | None],
    rows: Collection[Sequence[Candidate]],
    taken: Mapping[int, Sequence[Candidate]],
    put: Mapping[int, Sequence[Candidate]],
) -> frozenset[str | None]:
    """The modules of all that stands on `rows` now; only for one that nothing new belongs to is it looked through."""
    came = {candidate.module for some in put.values() for candidate in some}
    gone = {candidate.module for some in taken.values() for candidate in some} - came
    left = {module for module in gone if any(one.module == module for row in rows for one in row)}
    return (before - gone) | left | came


@lru_cache(maxsize=100)
def _estimate(rating: ItemRating) -> Estimate:
    """One value for all questions that nobody answered yet."""
    return difficulty_of(rating)


@lru_cache(maxsize=10_000)
def _shared(topics: tuple[str, ...]) -> tuple[str, ...]:
    """One tuple for all that are equal."""
    return tuple(intern(topic) for topic in topics)


def _shuffled(candidate: Candidate) -> tuple[int, str]:
    """An order that is the same everywhere and has nothing to do with how ids are made."""
    return crc32(candidate.question_id.encode()), candidate.question_id


def _below_is_next(numbers: tuple[int, ...], below: int, above: int, here: int) -> bool:
    if below < 0 or above >= len(numbers):
        return below >= 0
    return here - numbers[below] <= numbers[above] - here
