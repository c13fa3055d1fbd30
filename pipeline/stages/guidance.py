"""What a curriculum offers one learner: resources for what is weak, and projects to build."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Final

import msgspec

from pipeline.curriculum.model import Project, Resource, Translations
from pipeline.learning.advice import WEAK, RecommendedProject, RecommendedResource, Why
from pipeline.learning.candidate import primary_language
from pipeline.learning.pooling import Estimate, ability_in, overall
from pipeline.learning.rating import MIDDLE_DIFFICULTY, Skill
from pipeline.learning.turns import by_turns
from pipeline.stages.guide import LEVELS, NO_OFFER, Guide, Offer

LEAST_RESOURCES: Final = 3
MOST_RESOURCES: Final = 5
"""Three resources, or one per weak topic up to this."""

PROJECTS: Final = 2

COMMON_LANGUAGE: Final = "en"
"""What is read where there is nothing in the learner's own language."""


class Reader(msgspec.Struct, frozen=True):
    """A learner as guidance sees them: what they know, what they read, what they want to become.

    `level` is the difficulty, 1 to 5, that they have an even chance at over all topics, on the safe side: one standard
    deviation lower while little is known. `language` is a primary one.
    """

    skills: Mapping[str, Skill]
    everywhere: Estimate
    level: int
    language: str = COMMON_LANGUAGE
    career_goal: str | None = None
    industry: str | None = None

    def level_in(self, topic: str) -> int:
        """The difficulty, 1 to 5, that the learner has an even chance at in a topic."""
        return _level(ability_in(self.skills, (topic,), self.everywhere).mean)


class _Source(msgspec.Struct, frozen=True):
    """Offers that help with a topic, and why they do; they are looked up when it is their turn.

    Where no topic is named, they come in the order of the learner's level.
    """

    topic: str
    why: Why
    offers: Iterable[Offer]


class _Taken(msgspec.Struct, frozen=True):
    """The resources taken so far, by id, and how many of each kind."""

    ids: set[str]
    kinds: dict[str, int]

    def add(self, resource: Resource) -> None:
        self.ids.add(resource.id)
        self.kinds[resource.kind] = self.kinds.get(resource.kind, 0) + 1


def reader_of(
    skills: Mapping[str, Skill],
    *,
    locale: str | None = None,
    career_goal: str | None = None,
    industry: str | None = None,
) -> Reader:
    """The learner with these skills."""
    everywhere = overall(skills)
    return Reader(
        skills=skills,
        everywhere=everywhere,
        level=_level(everywhere.mean - everywhere.variance**0.5),
        language=primary_language((locale or COMMON_LANGUAGE).replace("_", "-")),
        career_goal=career_goal,
        industry=industry,
    )


def choose_resources(
    guide: Guide, reader: Reader, weak: Sequence[str], nearby: Sequence[str]
) -> tuple[RecommendedResource, ...]:
    """At least three resources for the `weak` topics (the weakest first), fewer only where the curriculum has fewer.

    What is about a weak topic comes first, then what its modules offer, then what these build on; then what is about
    the topics `nearby`, and last of all what has the learner's level. Topics take turns. Of several, one in the
    learner's language goes before one in English, that before the rest; then the kind taken least often so far, then
    the level nearest to the learner's.
    """
    if not guide.curriculum.resources:
        return ()
    taken = _Taken(set(), {})
    rounds = (
        by_turns([_helping(source, reader, taken) for source in sources])
        for sources in _rounds(guide, reader, weak, nearby)
    )
    count = min(max(LEAST_RESOURCES, len(weak)), MOST_RESOURCES)
    return tuple(islice(chain.from_iterable(rounds), count))


def _rounds(guide: Guide, reader: Reader, weak: Sequence[str], nearby: Sequence[str]) -> Iterator[list[_Source]]:
    yield [_Source(topic, Why.WEAK, _on_topic(guide, topic)) for topic in weak]
    yield [_Source(topic, Why.MODULE, _of_modules(guide, _taught_by(guide, topic))) for topic in weak]
    yield [_Source(topic, Why.PREREQUISITE, _of_modules(guide, _built_on(guide, topic))) for topic in weak]
    yield [_Source(topic, Why.NEXT, _on_topic(guide, topic)) for topic in nearby]
    yield [_Source("", Why.LEVEL, (guide.by_level.get(reader.level, NO_OFFER),))]


def _on_topic(guide: Guide, topic: str) -> tuple[Offer, ...]:
    return (guide.by_topic[topic],) if topic in guide.by_topic else ()


def _of_modules(guide: Guide, modules: Iterable[str]) -> Iterator[Offer]:
    """What modules offer themselves, and what is about their topics."""
    for name in modules:
        if name in guide.by_module:
            yield guide.by_module[name]
        if name in guide.curriculum.modules:
            for topic in guide.curriculum.modules[name].measured_by:
                yield from _on_topic(guide, topic)


def _taught_by(guide: Guide, topic: str) -> list[str]:
    return [module.id for module in guide.teaching.get(topic, ())]


def _built_on(guide: Guide, topic: str) -> Iterator[str]:
    """All that the modules of a topic build on, the nearest first, themselves left out."""
    layer = _taught_by(guide, topic)
    met = set(layer)
    modules = guide.curriculum.modules
    while layer:
        before = dict.fromkeys(name for module in layer if module in modules for name in modules[module].prerequisites)
        layer = [name for name in before if name not in met]
        met.update(layer)
        yield from layer


def _helping(source: _Source, reader: Reader, taken: _Taken) -> Iterator[RecommendedResource]:
    """What a source has, the best first; others may take of it meanwhile."""
    offers = [*source.offers]
    if not offers:
        return
    level = reader.level_in(source.topic) if source.topic else reader.level
    for resources in _by_language(offers, reader.language):
        nearest = sorted(resources, key=lambda resource: abs(resource.difficulty - level))
        while (found := _of_rarest_kind(nearest, taken)) is not None:
            taken.add(found)
            yield _advised(found, source, reader)


def _by_language(offers: Sequence[Offer], language: str) -> Iterator[list[Resource]]:
    """What is in the learner's language, what is in English, and then all of it."""
    for spoken in (language, COMMON_LANGUAGE):
        yield [resource for offer in offers for resource in offer.by_language.get(spoken, ())]
    yield [resource for offer in offers for resource in offer.resources]


def _of_rarest_kind(resources: Sequence[Resource], taken: _Taken) -> Resource | None:
    """The first that is not taken yet, of the kind that was taken least often."""
    for times in range(MOST_RESOURCES):
        for resource in resources:
            if taken.kinds.get(resource.kind, 0) == times and resource.id not in taken.ids:
                return resource
    return None


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
    return sum(map(reader.skills.__contains__, project.topics))


def _level(ability: float) -> int:
    return min(max(round(ability + MIDDLE_DIFFICULTY), LEVELS[0]), LEVELS[-1])


def _title(title: str, translations: Translations, language: str) -> str:
    return translations.get(language, {}).get("title", title)
