"""Which questions a learner should meet next, and why: usually 60 % weakness, 20 % review, 20 % challenge.

| kind      | expected score | topics in this order                                                       |
|-----------|----------------|----------------------------------------------------------------------------|
| weakness  | 0.75           | weak topics, weakest first                                                 |
| review    | 0.85           | due topics, most overdue first (weak ones last); then others met before,   |
|           |                | longest unseen first; then weak ones                                       |
| challenge | 0.55           | other topics met before, strongest first; then new ones; then weak ones    |

Topics take turns, `FOCUS` of them at a time. In a topic the question comes first whose expected score is nearest to
the target, each earlier pick of its type counting as `TYPE_COST` more distance. Questions of modules that are not open
yet come only after all others of their kind. What one kind cannot fill goes to review and challenge by turns, then to
weakness. Nothing is drawn at random: `seed` decides where on a shelf the walk begins, so equal inputs give equal
answers in every process.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from itertools import chain, islice
from math import log
from typing import Final
from zlib import crc32

import msgspec

from pipeline.learning.advice import WEAK, Because, Recommendation, RecommendedQuestion, Why
from pipeline.learning.candidate import NO_SHELVES, Candidate, CandidateIndex, Kind
from pipeline.learning.evidence import guess_floor
from pipeline.learning.memory import is_due, overdue_days, retrievability
from pipeline.learning.mix import Plan, quotas
from pipeline.learning.pooling import Estimate, ability_in, flattening, score_ahead
from pipeline.learning.rating import Skill
from pipeline.learning.rationale import rationale_for
from pipeline.learning.topic_order import topics_for
from pipeline.learning.turns import by_turns
from pipeline.learning.weakness import Weakness

FOCUS: Final = 3
"""So many topics take turns before the next ones get theirs: practice needs more than one question."""

LOOKAHEAD: Final = 6
"""So many candidates of one topic are compared before one is picked; the topic's shelves cannot know how
strong the learner is in a question's other topics."""

LONGEST_WALK: Final = 1_000
"""After so many candidates of one topic it is left: what fits stands near the learner's ability, or nowhere."""

TYPE_COST: Final = 0.02
"""A question of a type that came already has to fit so much better."""

EXPECTED_DECIMALS: Final = 4
RECALL_DECIMALS: Final = 2


class Barred(msgspec.Struct, frozen=True):
    """What is not recommended: `excluded` ids never, `postponed` ones only where nothing else is left.

    Questions of the modules in `closed` are postponed within their kind.
    """

    excluded: AbstractSet[str] = frozenset()
    postponed: AbstractSet[str] = frozenset()
    closed: AbstractSet[str] = frozenset()


class _Search(msgspec.Struct, frozen=True):
    """What every step of one selection looks at.

    `weak` are the topics of the weaknesses, the weakest first. `abilities` keeps those worked out so far, `types`
    counts what was picked so far.
    """

    index: CandidateIndex
    skills: Mapping[str, Skill]
    everywhere: Estimate
    weak: Mapping[str, None]
    closed: AbstractSet[str]
    now: datetime
    seed: int
    types: dict[str, int]
    abilities: dict[tuple[str, ...], Estimate]

    def ability(self, topics: tuple[str, ...]) -> Estimate:
        """The learner's ability in a question's topics."""
        known = self.abilities.get(topics)
        if known is None:
            known = self.abilities[topics] = ability_in(self.skills, topics, self.everywhere)
        return known

    def topics(self, kind: Kind) -> Iterator[str]:
        """Where questions of `kind` are looked for, the first topics first."""
        return topics_for(kind, self.index.topics, self.skills, self.weak, self.now, self.seed)


def recommend(
    index: CandidateIndex,
    skills: Mapping[str, Skill],
    weaknesses: Sequence[Weakness],
    *,
    everywhere: Estimate,
    now: datetime,
    barred: Barred,
    seed: str,
    plan: Plan,
    locale: str = "en",
) -> Recommendation:
    """The next questions for a learner with `skills` and `weaknesses` (weakest first) at `now`.

    `everywhere` is `pooling.overall` of the skills. Fewer than `plan.count` come where the bank has no more. `locale`
    (BCP 47) is the language of the rationale.
    """
    search = _Search(
        index=index,
        skills=skills,
        everywhere=everywhere,
        weak=dict.fromkeys(weakness.topic for weakness in weaknesses),
        closed=barred.closed,
        now=now,
        seed=crc32(seed.encode()),
        types={},
        abilities={},
    )
    questions = _choose(search, quotas(plan.mix, plan.count), {*barred.excluded, *barred.postponed})
    if barred.postponed and len(questions) < plan.count:
        chosen = {question.question_id for question in questions}
        questions += _choose(search, quotas(plan.mix, plan.count - len(questions)), {*barred.excluded, *chosen})
    return Recommendation(
        questions=questions,
        weaknesses=tuple(weaknesses),
        rationale=rationale_for([(question.kind, question.topic) for question in questions], locale),
    )


def _choose(search: _Search, wanted: Mapping[Kind, int], barred: set[str]) -> tuple[RecommendedQuestion, ...]:
    """Fill each kind's quota, then let the kinds fill what is missing; every pick joins `barred`."""
    picks = {kind: _picks(search, kind, barred) for kind in wanted}
    chosen = [pick for kind, quota in wanted.items() for pick in islice(picks[kind], quota)]
    weakness = picks.pop(Kind.WEAKNESS, iter(()))
    rest = chain(by_turns(picks.values()), weakness)
    chosen += islice(rest, sum(wanted.values()) - len(chosen))
    return tuple(chosen)


def _picks(search: _Search, kind: Kind, barred: set[str]) -> Iterator[RecommendedQuestion]:
    """The questions of one kind, best first, for as long as somebody asks; those that are not open yet at the end."""
    yield from _picks_of(search, kind, barred, is_open=True)
    if search.closed:
        yield from _picks_of(search, kind, barred, is_open=False)


def _picks_of(search: _Search, kind: Kind, barred: set[str], *, is_open: bool) -> Iterator[RecommendedQuestion]:
    sources = (_fitting(search, kind, topic, barred, is_open=is_open) for topic in search.topics(kind))
    for pick in by_turns(sources, FOCUS):
        barred.add(pick.question_id)
        yield pick


def _fitting(
    search: _Search, kind: Kind, topic: str, barred: AbstractSet[str], *, is_open: bool
) -> Iterator[RecommendedQuestion]:
    """One topic's questions, each the best fit of `LOOKAHEAD` neighbours on the shelves."""
    target = search.index.targets[kind]
    shelves = search.index.shelves.get((kind, topic), NO_SHELVES)
    if shelves.modules <= search.closed if is_open else shelves.modules.isdisjoint(search.closed):
        return  # none would be allowed, so there is no need to walk along them
    nearest = shelves.outward(_place(search.ability((topic,)), target), crc32(topic.encode(), search.seed))
    allowed = (
        candidate
        for candidate in islice(nearest, LONGEST_WALK)
        if candidate.question_id not in barred and (candidate.module in search.closed) is not is_open
    )
    window = [(candidate, _expected(search, candidate)) for candidate in islice(allowed, LOOKAHEAD)]
    while window:
        misfits = [
            abs(expected - target) + TYPE_COST * search.types.get(candidate.type, 0) for candidate, expected in window
        ]
        candidate, expected = window.pop(misfits.index(min(misfits)))
        if candidate.question_id not in barred:  # another topic's turn may have taken it
            search.types[candidate.type] = search.types.get(candidate.type, 0) + 1
            yield _picked(search, kind, topic, candidate, expected)
        window += [(candidate, _expected(search, candidate)) for candidate in islice(allowed, 1)]


def _place(ability: Estimate, target: float) -> float:
    """Where on the shelves to begin: the less is known of an ability, the easier a question that hits the target."""
    return ability.mean - (flattening(ability.variance) - 1.0) * log(target / (1.0 - target))


def _expected(search: _Search, candidate: Candidate) -> float:
    return score_ahead(
        search.ability(candidate.topics), candidate.difficulty, candidate.variance, guess_floor(candidate.choices)
    )


def _picked(search: _Search, kind: Kind, topic: str, candidate: Candidate, expected: float) -> RecommendedQuestion:
    return RecommendedQuestion(
        question_id=candidate.question_id,
        kind=kind,
        topic=topic,
        expected=round(expected, EXPECTED_DECIMALS),
        module=candidate.module,
        because=_because(search, kind, topic),
    )


def _because(search: _Search, kind: Kind, topic: str) -> Because:
    skill = search.skills.get(topic)
    if kind is Kind.REVIEW and skill is not None and skill.memory is not None and is_due(skill.memory, search.now):
        recall = retrievability(skill.memory, skill.updated_at, search.now)
        return Why.DUE, overdue_days(skill.memory, search.now), round(recall, RECALL_DECIMALS)
    if topic in search.weak:
        return WEAK
    if skill is None:
        return (Why.NEW,)
    if kind is Kind.REVIEW:
        days = (search.now - skill.updated_at).days
        return (Why.UNSEEN, days) if days > 0 else (Why.FRESH,)
    return (Why.STRETCH,)
