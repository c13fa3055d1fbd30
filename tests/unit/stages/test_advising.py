"""Advice as a whole depends on the state and the seed, and on nothing else."""

from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.curriculum.model import Curriculum, Module, Resource, ResourceKind
from pipeline.learning.advice import Recommendation
from pipeline.learning.candidate import Candidate, CandidateIndex, Kind, index_candidates
from pipeline.learning.memory import Memory
from pipeline.learning.mix import Plan
from pipeline.learning.rating import Skill
from pipeline.learning.recency import Recent
from pipeline.learning.selection import Barred
from pipeline.model import LearnerContext
from pipeline.stages.advising import Occasion, advise
from pipeline.stages.guide import guide_of

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TOPICS = ("loops", "lists", "dicts", "files", "sets")
BANK = [
    Candidate(f"{topic}-{level}-{n}", (topic,), float(level), module=topic, type=("cloze", "numeric")[n % 2])
    for topic in TOPICS
    for level in range(-2, 3)
    for n in range(3)
]
INDEX = index_candidates(BANK)
GUIDE = guide_of(
    Curriculum(
        modules={
            topic: Module(topic, topic, 2, 1.0, prerequisites=TOPICS[:place][-1:]) for place, topic in enumerate(TOPICS)
        },
        resources={
            f"{topic}-{kind}": Resource(f"{topic}-{kind}", topic, kind, "https://example.org", (topic,))
            for topic in TOPICS
            for kind in ResourceKind
        },
    )
)
HOURS = st.integers(0, 400).map(lambda hours: timedelta(hours=hours))
SKILLS = st.dictionaries(
    st.sampled_from(TOPICS),
    st.builds(
        lambda rating, answers, wrong, age, due: Skill(
            "", rating, answers, 0, NOW - age, Recent(wrong, wrong + 1), (), Memory(3.0, 5.0, NOW - age + due)
        ),
        st.floats(-3, 3),
        st.integers(1, 60),
        st.sampled_from([0.0, 0.5, 3.0]),
        HOURS,
        HOURS,
    ),
).map(lambda found: {topic: msgspec.structs.replace(skill, topic=topic) for topic, skill in found.items()})
EXCLUDED = st.frozensets(st.sampled_from([candidate.question_id for candidate in BANK]), max_size=40)


def advice(
    skills: dict[str, Skill], excluded: frozenset[str], seed: str, index: CandidateIndex = INDEX
) -> Recommendation:
    occasion = Occasion(NOW, seed, "en", Barred(excluded=excluded), LearnerContext("ja", "web", "fintech"))
    return advise({"en": index}, GUIDE, skills, occasion, Plan())


@settings(deadline=None)
@given(SKILLS, EXCLUDED, st.text(max_size=5), st.randoms())
def test_equal_state_and_seed_give_equal_advice(
    skills: dict[str, Skill], excluded: frozenset[str], seed: str, random: Random
) -> None:
    shuffled = list(BANK)
    random.shuffle(shuffled)
    again = dict(reversed(skills.items()))
    stored = msgspec.json.decode(msgspec.json.encode(again), type=dict[str, Skill])
    assert advice(skills, excluded, seed) == advice(stored, excluded, seed, index_candidates(shuffled))


@settings(deadline=None)
@given(SKILLS, EXCLUDED, st.text(max_size=5))
def test_nothing_comes_twice_or_against_the_rules(
    skills: dict[str, Skill], excluded: frozenset[str], seed: str
) -> None:
    found = advice(skills, excluded, seed)
    ids = [question.question_id for question in found.questions]
    assert len(ids) == len(set(ids)) == 10
    assert not excluded.intersection(ids)
    assert len({resource.id for resource in found.resources}) == len(found.resources) >= 3
    if found.weaknesses:
        kinds = [question.kind for question in found.questions]
        room = sum(c.question_id not in excluded for c in BANK if c.topics[0] == found.weaknesses[0].topic)
        assert kinds.count(Kind.WEAKNESS) >= min(5, room)
