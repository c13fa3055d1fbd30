"""What topics are called where people read of them: after the module that teaches them."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from pipeline.curriculum.language import title_in
from pipeline.curriculum.model import Curriculum, Module

NO_NAMES: Final[Mapping[str, str]] = MappingProxyType({})
"""Nothing has another name than its id."""


Teachers = Mapping[str, Sequence[Module]]
"""By topic, the modules that teach it."""


def topic_names(curriculum: Curriculum, topics: Iterable[str], locale: str | None) -> Mapping[str, str]:
    """The names of those of `topics` that one module teaches and no other, in the language of `locale`, by topic.

    It is the module's title; of a module with several topics the last part of the topic's id stands behind it. Names
    that two topics would share are left out: nobody could tell them apart.
    """
    wanted = set(topics)
    return names_by(teachers_of(curriculum, wanted), wanted, locale)


def teachers_of(curriculum: Curriculum, topics: Collection[str]) -> Teachers:
    """Who teaches these topics: one walk through all modules, for as many lists of names as are wanted of them."""
    wanted, found = frozenset(topics), dict[str, list[Module]]()
    for module in curriculum.modules.values():
        for topic in wanted.intersection(module.topics or (module.id,)):
            found.setdefault(topic, []).append(module)
    return found


def names_by(teachers: Teachers, topics: Iterable[str], locale: str | None) -> Mapping[str, str]:
    """The names of these topics, as `topic_names` has it; `teachers` may be those of others too."""
    taught = [(topic, modules[0]) for topic in topics if len(modules := teachers.get(topic, ())) == 1]
    names = {topic: name_of(topic, module, locale) for topic, module in taught}
    shared = Counter(names.values())
    return {topic: name for topic, name in names.items() if shared[name] == 1}


def name_of(topic: str, module: Module, locale: str | None) -> str:
    """The name of a topic that this module teaches."""
    title = title_in(module, locale)
    if len(module.topics) <= 1:
        return title
    return f"{title}: {topic.rpartition('.')[2].replace('_', ' ')}"
