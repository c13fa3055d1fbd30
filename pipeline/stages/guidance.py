"""What a curriculum offers one learner: resources for what is weak, projects to build, modules not open yet."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeVar

import msgspec

from pipeline.curriculum.model import NO_CURRICULUM, Curriculum, Module, Project, Resource, Translations
from pipeline.learning.advice import WEAK, RecommendedProject, RecommendedResource, Why
from pipeline.learning.candidate import primary_language
from pipeline.learning.pooling import Estimate, ability_in, overall
from pipeline.learning.rating import MIDDLE_DIFFICULTY, Skill

LEAST_RESOURCES: Final = 3
MOST_RESOURCES: Final = 5
"""Three resources, or one per weak topic up to this."""

PROJECTS: Final = 2
EASIEST: Final = 1
HARDEST: Final = 5
Member = TypeVar("Member", Resource, Module)

COMMON_LANGUAGE: Final = "en"
"""What is read where there is nothing in the learner's own language."""


class Guide(msgspec.Struct, frozen=True):
    """A curriculum, arranged once per version so that what helps with a topic is found without a search."""

    curriculum: Curriculum = NO_CURRICULUM
    by_topic: Mapping[str, tuple[Resource, ...]] = MappingProxyType({})
    by_module: Mapping[str, tuple[Resource, ...]] = MappingProxyType({})
    teaching: Mapping[str, tuple[Module, ...]] = MappingProxyType({})
    """The modules that a topic measures."""


NO_GUIDE: Final = Guide()


class Reader(msgspec.Struct, frozen=True):
    """A learner as guidance sees them: what they know, what they read, what they want to become."""

    skills: Mapping[str, Skill]
    everywhere: Estimate
    locale: str | None = None
    career_goal: str | None = None
    industry: str | None = None

    @property
    def language(self) -> str:
        return primary_language((self.locale or COMMON_LANGUAGE).replace("_", "-"))

    def level_in(self, topic: str) -> int:
        """The difficulty, 1 to 5, that the learner has an even chance at in a topic."""
        return _level(ability_in(self.skills, (topic,), self.everywhere).mean)

    @property
    def level(self) -> int:
        """The same over all topics, on the safe side: one standard deviation lower while little is known."""
        return _level(self.everywhere.mean - self.everywhere.variance**0.5)


class _Source(msgspec.Struct, frozen=True):
    """Resources that help with a topic, and why they do."""

    topic: str
    why: Why
    resources: Sequence[Resource]


def guide_of(curriculum: Curriculum) -> Guide:
    """`curriculum`, arranged."""
    resources = curriculum.resources.values()
    return Guide(
        curriculum=curriculum,
        by_topic=_grouped((topic, resource) for resource in resources for topic in resource.topics),
        by_module=_grouped((module, resource) for resource in resources for module in resource.modules),
        teaching=_grouped((topic, module) for module in curriculum.modules.values() for topic in module.measured_by),
    )


def reader_of(
    skills: Mapping[str, Skill],
    *,
    locale: str | None = None,
    career_goal: str | None = None,
    industry: str | None = None,
) -> Reader:
    """The learner with these skills."""
    return Reader(skills, overall(skills), locale, career_goal, industry)


def choose_resources(
    guide: Guide, reader: Reader, weak: Sequence[str], nearby: Sequence[str]
) -> tuple[RecommendedResource, ...]:
    """At least three resources for the `weak` topics (the weakest first), fewer only where the curriculum has fewer.

    What is about a weak topic comes first, then what its modules offer, then what these build on; then what is about
    the topics `nearby`, and last of all what has the learner's level. Topics take turns. Of several, one in the
    learner's language goes before one in English, that before the rest; then the kind taken least often so far, then
    the level nearest to the learner's.
    """
    count = min(max(LEAST_RESOURCES, len(weak)), MOST_RESOURCES)
    taken: dict[str, RecommendedResource] = {}
    kinds: Counter[str] = Counter()
    for sources in _rounds(guide, reader, weak, nearby):
        while len(taken) < count:
            before = len(taken)
            for source in sources:
                found = _best(source, reader, taken, kinds) if len(taken) < count else None
                if found is not None:
                    taken[found.id] = _advised(found, source, reader)
                    kinds[found.kind] += 1
            if len(taken) == before:
                break
    return tuple(taken.values())


def _rounds(guide: Guide, reader: Reader, weak: Sequence[str], nearby: Sequence[str]) -> Iterator[list[_Source]]:
    modules = {topic: [module.id for module in guide.teaching.get(topic, ())] for topic in weak}
    yield [_Source(topic, Why.WEAK, guide.by_topic.get(topic, ())) for topic in weak]
    yield [_Source(topic, Why.MODULE, _of_modules(guide, names)) for topic, names in modules.items()]
    yield [
        _Source(topic, Why.PREREQUISITE, _of_modules(guide, _built_on(guide.curriculum, names)))
        for topic, names in modules.items()
    ]
    yield [_Source(topic, Why.NEXT, guide.by_topic.get(topic, ())) for topic in nearby]
    level = reader.level
    nearest = sorted(guide.curriculum.resources.values(), key=lambda resource: abs(resource.difficulty - level))
    yield [_Source("", Why.LEVEL, nearest)]


def _of_modules(guide: Guide, modules: Iterable[str]) -> list[Resource]:
    found: dict[str, Resource] = {}
    for name in modules:
        topics = guide.curriculum.modules[name].measured_by if name in guide.curriculum.modules else ()
        for resource in (*guide.by_module.get(name, ()), *(one for t in topics for one in guide.by_topic.get(t, ()))):
            found[resource.id] = resource
    return list(found.values())


def _built_on(curriculum: Curriculum, modules: Iterable[str]) -> list[str]:
    """All that these modules build on, the nearest first, themselves left out."""
    found: dict[str, None] = {}
    layer = dict.fromkeys(modules)
    begun = frozenset(layer)
    while layer:
        known = [curriculum.modules[name] for name in layer if name in curriculum.modules]
        layer = dict.fromkeys(before for module in known for before in module.prerequisites)
        layer = {name: None for name in layer if name not in found and name not in begun}
        found |= layer
    return list(found)


def _best(source: _Source, reader: Reader, taken: Mapping[str, object], kinds: Mapping[str, int]) -> Resource | None:
    level = reader.level_in(source.topic) if source.topic else reader.level
    language = reader.language

    def order(resource: Resource) -> tuple[int, int, int]:
        spoken = primary_language(resource.language)
        foreign = 0 if spoken == language else 1 if spoken == COMMON_LANGUAGE else 2
        return foreign, kinds.get(resource.kind, 0), abs(resource.difficulty - level)

    return min((one for one in source.resources if one.id not in taken), key=order, default=None)


def _advised(resource: Resource, source: _Source, reader: Reader) -> RecommendedResource:
    return RecommendedResource(
        id=resource.id,
        title=_title(resource.title, resource.translations, reader.language),
        kind=resource.kind,
        url=resource.url,
        topic=source.topic or resource.topics[0],
        difficulty=resource.difficulty,
        language=resource.language,
        minutes=resource.minutes,
        because=WEAK if source.why is Why.WEAK else (source.why,),
    )


def choose_projects(guide: Guide, reader: Reader) -> tuple[RecommendedProject, ...]:
    """Up to two projects that suit the learner best.

    Those of the career goal first, where it is known; of the nearest level; of the industry; and then those of whose
    topics most were met.
    """
    found = sorted(guide.curriculum.projects.values(), key=lambda project: _project_order(project, reader))
    return tuple(_project_advised(project, reader) for project in found[:PROJECTS])


def _project_order(project: Project, reader: Reader) -> tuple[int, int, bool, float]:
    elsewhere = 0 if reader.career_goal in project.categories else 1 if not project.categories else 2
    return (
        elsewhere if reader.career_goal else 0,
        abs(project.difficulty - reader.level),
        reader.industry not in project.industries,
        -_met(project, reader) / max(len(project.topics), 1),
    )


def _project_advised(project: Project, reader: Reader) -> RecommendedProject:
    return RecommendedProject(
        id=project.id,
        title=_title(project.title, project.translations, reader.language),
        difficulty=project.difficulty,
        hours=project.hours,
        because=(
            Why.PROJECT,
            reader.level,
            _met(project, reader),
            len(project.topics),
            reader.career_goal in project.categories,
            reader.industry in project.industries,
        ),
    )


def _met(project: Project, reader: Reader) -> int:
    return sum(topic in reader.skills for topic in project.topics)


def _level(ability: float) -> int:
    return min(max(round(ability + MIDDLE_DIFFICULTY), EASIEST), HARDEST)


def _title(title: str, translations: Translations, language: str) -> str:
    return translations.get(language, {}).get("title", title)


def _grouped(pairs: Iterable[tuple[str, Member]]) -> Mapping[str, tuple[Member, ...]]:
    groups: dict[str, list[Member]] = {}
    for name, member in pairs:
        groups.setdefault(name, []).append(member)
    return MappingProxyType({name: tuple(members) for name, members in groups.items()})
