"""What guidance finds without a search is what a search through everything would find."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from pipeline.curriculum.model import Curriculum, Module, Resource, ResourceKind
from pipeline.learning.advice import Why
from pipeline.learning.mastery import has_mastered, module_logit
from pipeline.learning.rating import Skill
from pipeline.stages.guidance import LEAST_RESOURCES, MOST_RESOURCES, Reader, choose_resources, reader_of
from pipeline.stages.guide import guide_of
from pipeline.stages.opening import closed_modules

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TOPICS = ("loops", "lists", "dicts", "sets", "m1", "m3")
MODULES = ("m0", "m1", "m2", "m3", "m4")
LANGUAGES = ("en", "en-GB", "ko", "ko-KR", "de", "fr")
Chosen = list[tuple[str, str, Why]]


@st.composite
def curricula(draw: st.DrawFn) -> Curriculum:
    """Modules that build on earlier ones (and on one that is not there), and resources for some of all that."""
    modules = {
        name: Module(
            name,
            name,
            draw(st.integers(1, 5)),
            1.0,
            topics=tuple(draw(st.lists(st.sampled_from(TOPICS[:4]), max_size=2, unique=True))),
            prerequisites=tuple(draw(st.lists(st.sampled_from((*MODULES[:number], "gone")), max_size=2, unique=True))),
        )
        for number, name in enumerate(MODULES)
    }
    resources = {
        f"r{number}": Resource(
            f"r{number}",
            f"R{number}",
            draw(st.sampled_from(ResourceKind)),
            "https://example.org",
            tuple(draw(st.lists(st.sampled_from(TOPICS), min_size=1, max_size=2, unique=True))),
            tuple(draw(st.lists(st.sampled_from(MODULES), max_size=2, unique=True))),
            draw(st.integers(1, 5)),
            None,
            draw(st.sampled_from(LANGUAGES)),
        )
        for number in range(draw(st.integers(0, 14)))
    }
    return Curriculum(modules=modules, resources=resources)


@st.composite
def readers(draw: st.DrawFn) -> Reader:
    """Learners of some of the topics."""
    met = draw(st.dictionaries(st.sampled_from(TOPICS), st.tuples(st.floats(-3, 4), st.integers(1, 60))))
    skills = {topic: Skill(topic, rating, answers, 0, NOW) for topic, (rating, answers) in met.items()}
    return reader_of(skills, locale=draw(st.sampled_from((None, "en", "ko_KR", "ja"))))


@given(curricula(), readers(), st.lists(st.sampled_from(TOPICS), unique=True), st.sampled_from(TOPICS))
def test_resources_are_those_that_a_look_at_all_of_them_for_each_would_choose(
    curriculum: Curriculum, reader: Reader, topics: Sequence[str], near: str
) -> None:
    weak, nearby = topics[:-1], [near]
    found = choose_resources(guide_of(curriculum), reader, weak, nearby)
    chosen = [(one.id, one.topic, Why(str(one.because[0])) if one.because else Why.WEAK) for one in found]
    assert chosen == looked_through(curriculum, reader, weak, nearby)


@given(curricula(), readers())
def test_a_module_is_closed_where_not_all_it_builds_on_is_mastered(curriculum: Curriculum, reader: Reader) -> None:
    def is_mastered(module: Module) -> bool:
        wanted = module_logit(module.difficulty)
        topics = [reader.skills.get(topic) for topic in module.measured_by]
        return all(has_mastered(skill, reader.everywhere, wanted, NOW) for skill in topics)

    modules = curriculum.modules
    closed = {
        module.id
        for module in modules.values()
        if not all(is_mastered(modules[before]) for before in module.prerequisites if before in modules)
    }
    assert closed_modules(guide_of(curriculum), reader, NOW) == closed


def looked_through(curriculum: Curriculum, reader: Reader, weak: Sequence[str], nearby: Sequence[str]) -> Chosen:
    """The rule of `choose_resources`, step by step, with no index."""
    count = min(max(LEAST_RESOURCES, len(weak)), MOST_RESOURCES)
    chosen: Chosen = []
    kinds: Counter[str] = Counter()
    for why, sources in rounds(curriculum, weak, nearby):
        found = True
        while found:
            found = False
            for topic, resources in sources:
                taken = {id_ for id_, _, _ in chosen}
                left = [one for one in resources if one.id not in taken]
                if left and len(chosen) < count:
                    best = min(left, key=lambda one: order(one, reader, topic, kinds))
                    chosen.append((best.id, topic or best.topics[0], why))
                    kinds[best.kind] += 1
                    found = True
    return chosen


def order(resource: Resource, reader: Reader, topic: str, kinds: Counter[str]) -> tuple[int, int, int]:
    spoken = resource.language.partition("-")[0]
    foreign = 0 if spoken == reader.language else 1 if spoken == "en" else 2
    level = reader.level_in(topic) if topic else reader.level
    return foreign, kinds[resource.kind], abs(resource.difficulty - level)


def rounds(
    curriculum: Curriculum, weak: Sequence[str], nearby: Sequence[str]
) -> Iterator[tuple[Why, list[tuple[str, list[Resource]]]]]:
    modules, resources = curriculum.modules, list(curriculum.resources.values())

    def about(topic: str) -> list[Resource]:
        return [one for one in resources if topic in one.topics]

    def of(names: Sequence[str]) -> list[Resource]:
        return [
            one
            for name in names
            for one in (
                *(one for one in resources if name in one.modules),
                *(one for topic in modules[name].measured_by for one in about(topic)),
            )
        ]

    def below(names: Sequence[str]) -> list[str]:
        layers = [list(names)]
        while layers[-1]:
            met = [name for layer in layers for name in layer]
            needed = [before for name in layers[-1] for before in modules[name].prerequisites]
            layers.append(list(dict.fromkeys(name for name in needed if name in modules and name not in met)))
        return [name for layer in layers[1:] for name in layer]

    taught = {topic: [name for name in modules if topic in modules[name].measured_by] for topic in weak}
    yield Why.WEAK, [(topic, about(topic)) for topic in weak]
    yield Why.MODULE, [(topic, of(taught[topic])) for topic in weak]
    yield Why.PREREQUISITE, [(topic, of(below(taught[topic]))) for topic in weak]
    yield Why.NEXT, [(topic, about(topic)) for topic in nearby]
    yield Why.LEVEL, [("", resources)]
