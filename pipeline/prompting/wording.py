"""Turns remarks into sentences of one language, by macros compiled once.

A remark is a decision ("too high, given 3.5"); the words for it are a macro of the same name in
`prompts/`. So what is said is decided in one place and how it is said stands on one page per language.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final, NamedTuple

from jinja2 import StrictUndefined
from jinja2.runtime import Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment

from prompts.catalog import Text, load

# Without a loader no text can pull in another one.
_ENVIRONMENT: Final = ImmutableSandboxedEnvironment(
    autoescape=False,  # plain text comes out, escaped by whoever displays it
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

_NO_FACTS: Final[Mapping[str, object]] = {}


class Remark(NamedTuple):
    """One thing to say: the name of its macro and the facts it is told with."""

    name: str
    facts: Mapping[str, object] = _NO_FACTS


class Wording:
    """The sentences of one language, ready to be said. Safe to share between threads."""

    def __init__(self, text: Text) -> None:
        """Compile `text`, whose body defines one macro per remark and sets `space`, put between sentences."""
        exported = vars(_ENVIRONMENT.from_string(text.body).module)
        self.reference: Final = text.reference
        self._space: Final[str] = exported["space"]
        self._macros: Final[Mapping[str, Macro]] = _macros_among(exported)

    @property
    def names(self) -> Mapping[str, tuple[str, ...]]:
        """Every remark there are words for, with the facts it needs."""
        return {name: tuple(macro.arguments) for name, macro in self._macros.items()}

    def say(self, remark: Remark) -> str:
        """The sentence for one remark; raises where there are no words for it or a fact is missing."""
        return str(self._macros[remark.name](**remark.facts))

    def paragraph(self, remarks: Iterable[Remark]) -> str:
        """Several remarks as running text; empty for none."""
        return self.run_on([self.say(remark) for remark in remarks])

    def run_on(self, sentences: Iterable[str]) -> str:
        """Sentences one after the other, spaced as the language does; empty ones are left out."""
        return self._space.join(filter(None, sentences))

    def text(self, paragraphs: Iterable[Iterable[Remark]]) -> str:
        """Paragraphs with an empty line between them; empty ones are left out."""
        return join_paragraphs(self.paragraph(remarks) for remarks in paragraphs)


@cache
def wording_of(text_id: str, language: str) -> Wording:
    """The sentences of a text of ours in one language, compiled when first asked for."""
    return Wording(load(text_id, language))


def join_paragraphs(paragraphs: Iterable[str]) -> str:
    """Paragraphs with an empty line between them; empty ones are left out."""
    return "\n\n".join(filter(None, paragraphs))


def macros_of(source: str) -> Mapping[str, Macro]:
    """The macros that a text of ours defines, by name."""
    return _macros_among(vars(_ENVIRONMENT.from_string(source).module))


def _macros_among(exported: Mapping[str, object]) -> Mapping[str, Macro]:
    return {name: value for name, value in exported.items() if isinstance(value, Macro)}
