"""Which questions a learner should meet next, and why: 60 % weakness, 20 % review, 20 % challenge.

| kind      | expected score | topics in this order                                              |
|-----------|----------------|-------------------------------------------------------------------|
| weakness  | 0.75           | weak topics, weakest first                                        |
| review    | 0.85           | other topics met before, longest unseen first; then weak ones     |
| challenge | 0.55           | other topics met before, strongest first; then new ones; then weak ones |

Topics take turns, `FOCUS` of them at a time. In a topic the best fitting questions come first. What one kind
cannot fill goes to review and challenge by turns, then to weakness. Nothing is drawn at random: `seed`
decides where on a shelf the walk begins, so equal inputs give equal answers in every process.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from heapq import heappop, heappush, heappushpop
from itertools import chain, islice
from math import log
from types import MappingProxyType
from typing import Final
from zlib import crc32

import msgspec

from pipeline.learning.candidate import NO_SHELVES, Candidate, CandidateIndex, Kind
from pipeline.learning.evidence import guess_floor
from pipeline.learning.pooling import Estimate, ability_in, flattening, overall, predicted_score
from pipeline.learning.rating import Skill
from pipeline.learning.rationale import rationale_for
from pipeline.learning.weakness import Weakness
from pipeline.model import JsonValue

MIX: Final[Mapping[Kind, float]] = MappingProxyType({Kind.WEAKNESS: 0.6, Kind.REVIEW: 0.2, Kind.CHALLENGE: 0.2})
FOCUS: Final = 3
"""So many topics take turns before the next ones get theirs: practice needs more than one question."""

LOOKAHEAD: Final = 4
"""So many candidates of one topic are compared before one is picked; the topic's shelves cannot know how
strong the learner is in a question's other topics."""

EXPECTED_DECIMALS: Final = 4


class RecommendedQuestion(msgspec.Struct, frozen=True):
    """A question to answer next, for the reason `kind` in `topic`; `expected` is its mean score."""

    question_id: str
    kind: Kind
    topic: str
    expected: float
    module: str | None = None


class Recommendation(msgspec.Struct, frozen=True):
    """What a learner is advised to do next; the "recommendations" of a submission."""

    questions: tuple[RecommendedQuestion, ...]
    weaknesses: tuple[Weakness, ...]
    resources: tuple[JsonValue, ...] = ()
    projects: tuple[JsonValue, ...] = ()
    rationale: str = ""


class _Search(msgspec.Struct, frozen=True):
    """What every step of one selection looks at; `abilities` keeps those worked out so far."""

    index: CandidateIndex
    skills: Mapping[str, Skill]
    topics: Mapping[Kind, Sequence[str]]
    seed: int
    everywhere: Estimate
    abilities: dict[tuple[str, ...], Estimate]

    def ability(self, topics: tuple[str, ...]) -> Estimate:
        """The learner's ability in a question's topics."""
        known = self.abilities.get(topics)
        if known is None:
            known = self.abilities[topics] = ability_in(self.skills, topics, self.everywhere)
        return known


def recommend(
    index: CandidateIndex,
    skills: Mapping[str, Skill],
    weaknesses: Sequence[Weakness],
    *,
    excluded: AbstractSet[str],
    seed: str,
    postponed: AbstractSet[str] = frozenset(),
    count: int = 10,
    mix: Mapping[Kind, float] = MIX,
    locale: str = "en",
) -> Recommendation:
    """The next `count` questions for a learner with `skills` and `weaknesses` (weakest first).

    `excluded` ids never come: what was answered correctly lately, this submission's included. `postponed` ids
    come only where nothing else is left: the rest of this submission. Fewer than `count` come where the bank
    has no more. `mix` gives each kind's share, `locale` (BCP 47) the language of the rationale.
    """
    spin = crc32(seed.encode())
    search = _Search(index, skills, _topics_by_kind(index, skills, weaknesses, spin), spin, overall(skills), {})
    questions = _choose(search, quotas(mix, count), {*excluded, *postponed})
    if postponed and len(questions) < count:
        chosen = {question.question_id for question in questions}
        questions += _choose(search, quotas(mix, count - len(questions)), {*excluded, *chosen})
    return Recommendation(
        questions=questions,
        weaknesses=tuple(weaknesses),
        rationale=rationale_for([(question.kind, question.topic) for question in questions], locale),
    )


def quotas(mix: Mapping[Kind, float], count: int) -> dict[Kind, int]:
    """Split `count` by the shares in `mix` (of any sum > 0): largest remainders first, then in mix order."""
    total = sum(mix.values())
    exact = {kind: count * share / total for kind, share in mix.items()}
    split = {kind: int(share) for kind, share in exact.items()}
    by_remainder = sorted(exact, key=lambda kind: split[kind] - exact[kind])
    for kind in by_remainder[: count - sum(split.values())]:
        split[kind] += 1
    return split


def _topics_by_kind(
    index: CandidateIndex, skills: Mapping[str, Skill], weaknesses: Sequence[Weakness], spin: int
) -> dict[Kind, Sequence[str]]:
    weak = [weakness.topic for weakness in weaknesses]
    weak_topics = frozenset(weak)
    steady = [skill for skill in skills.values() if skill.topic not in weak_topics]
    stalest = sorted(steady, key=lambda skill: (skill.updated_at, skill.topic))
    strongest = sorted(steady, key=lambda skill: (-skill.rating, skill.topic))
    new = _turned([topic for topic in index.topics if topic not in skills], spin)
    return {
        Kind.WEAKNESS: weak,
        Kind.REVIEW: [*(skill.topic for skill in stalest), *weak],
        Kind.CHALLENGE: [*(skill.topic for skill in strongest), *new, *weak],
    }


def _choose(search: _Search, wanted: Mapping[Kind, int], barred: set[str]) -> tuple[RecommendedQuestion, ...]:
    """Fill each kind's quota, then let the kinds fill what is missing; every pick joins `barred`."""
    picks = {kind: _picks(search, kind, barred) for kind in wanted}
    chosen = [pick for kind, quota in wanted.items() for pick in islice(picks[kind], quota)]
    weakness = picks.pop(Kind.WEAKNESS, iter(()))
    rest = chain(_by_turns(picks.values()), weakness)
    chosen += islice(rest, sum(wanted.values()) - len(chosen))
    return tuple(chosen)


def _picks(search: _Search, kind: Kind, barred: set[str]) -> Iterator[RecommendedQuestion]:
    """The questions of one kind, best first, for as long as somebody asks."""
    topics = search.topics[kind]
    for first in range(0, len(topics), FOCUS):
        group = topics[first : first + FOCUS]
        for pick in _by_turns([_fitting(search, kind, topic, barred) for topic in group]):
            if pick.question_id not in barred:
                barred.add(pick.question_id)
                yield pick


def _fitting(search: _Search, kind: Kind, topic: str, barred: AbstractSet[str]) -> Iterator[RecommendedQuestion]:
    """One topic's questions, each the best fit of `LOOKAHEAD` neighbours on the shelves."""
    target = search.index.targets[kind]
    shelves = search.index.shelves.get((kind, topic), NO_SHELVES)
    nearest = shelves.outward(_place(search.ability((topic,)), target), crc32(topic.encode(), search.seed))
    window: list[tuple[float, int, float, Candidate]] = []
    for rank, candidate in enumerate(nearest):
        if candidate.question_id in barred:
            continue
        expected = _expected(search, candidate)
        entry = (abs(expected - target), rank, expected, candidate)
        if len(window) < LOOKAHEAD - 1:
            heappush(window, entry)
        else:
            yield _picked(kind, topic, *heappushpop(window, entry)[2:])
    while window:
        yield _picked(kind, topic, *heappop(window)[2:])


def _place(ability: Estimate, target: float) -> float:
    """Where on the shelves to begin: the less is known of an ability, the easier a question that hits the target."""
    return ability.mean - (flattening(ability.variance) - 1.0) * log(target / (1.0 - target))


def _expected(search: _Search, candidate: Candidate) -> float:
    return predicted_score(search.ability(candidate.topics), candidate.estimate, guess_floor(candidate.choices))


def _picked(kind: Kind, topic: str, expected: float, candidate: Candidate) -> RecommendedQuestion:
    return RecommendedQuestion(
        question_id=candidate.question_id,
        kind=kind,
        topic=topic,
        expected=round(expected, EXPECTED_DECIMALS),
        module=candidate.module,
    )


def _by_turns(sources: Iterable[Iterator[RecommendedQuestion]]) -> Iterator[RecommendedQuestion]:
    """One from each source in turn until all are empty."""
    waiting = deque(sources)
    while waiting:
        source = waiting.popleft()
        for pick in source:
            yield pick
            waiting.append(source)
            break


def _turned(topics: Sequence[str], spin: int) -> Sequence[str]:
    """`topics` from a place that `spin` chooses, round to where it began."""
    start = spin % len(topics) if topics else 0
    return [*topics[start:], *topics[:start]]
