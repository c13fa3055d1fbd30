"""Finding questions by their words: what of a question is searched, and what a search looks for.

Texts are compared as answers are (`pipeline.scoring.text.comparable`): after NFKC and case folding, without blanks
beside Chinese, Japanese and Korean. A word is found inside others, so what is kept for the index is not words but
every run of up to three characters; candidates found by them are then looked at.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

import msgspec

from pipeline.errors import FieldProblem, InvalidInput
from pipeline.model import Question
from pipeline.scoring.text import TEXT_CHARS, comparable, fold, is_unspaced

MOST_WORDS: Final = 12
MOST_TERMS: Final = 64
"""Runs of a search that the index is asked for; what more there is, is looked for in the candidates alone."""
SHORT: Final = 16
LEAST_CHARS: Final = 2
"""Of a word that the index can help with; one character where it is Chinese, Japanese or Korean."""


class Searchable(msgspec.Struct, frozen=True):
    """What is kept of a question to find it by.

    `content` are lines, the prompt first, then options, tags, topics and the id; `terms` are the runs of characters in
    them and what the question is filtered by, those with a blank before them, which no run has.
    """

    content: str
    terms: list[str]


class Search(msgspec.Struct, frozen=True):
    """What to look for: `words` that all must be in the content, and the whole as one `phrase`.

    `terms` are the runs that any content with these words has.
    """

    words: tuple[str, ...]
    phrase: str
    terms: tuple[str, ...]


def searchable(tenant_id: int, question: Question) -> Searchable:
    """What to keep of a question; of a text longer than `TEXT_CHARS` the rest is not found."""
    options = [option.get("text", "") for option in question.options]
    texts = [question.prompt, *options, *question.tags, *question.topics, question.id]
    content = "\n".join(map(comparable, texts))[:TEXT_CHARS]
    runs: set[str] = set(facets_of(tenant_id, question))
    for word in set(content.split()):
        runs |= runs_of_short(word) if len(word) < SHORT else runs_of(word)
    return Searchable(content, list(runs))


def facets_of(tenant_id: int, question: Question) -> Iterator[str]:
    """What a question can be filtered by, as terms."""
    yield facet("tenant", tenant_id)
    yield facet("type", question.type)
    yield facet("difficulty", question.difficulty)
    yield facet("language", question.language)
    yield from (facet("topic", topic) for topic in question.topics)
    yield from (facet("tag", tag) for tag in question.tags)
    if question.module is not None:
        yield facet("module", question.module)
    if question.industry is not None:
        yield facet("industry", question.industry)


def facet(name: str, value: object) -> str:
    """A term that stands for a property; it begins with a blank, so no text contains it."""
    return f" {name}:{value}"


def read_search(text: str) -> Search:
    """What a search looks for; raises `InvalidInput` where there is nothing to look for, or too much.

    One letter alone would be found nearly everywhere, so it only narrows down what longer words find. One character
    of Chinese, Japanese or Korean may be a word.
    """
    words = tuple(dict.fromkeys(fold(text).split()))
    if len(words) > MOST_WORDS:
        raise InvalidInput([FieldProblem("/q", f"must have at most {MOST_WORDS} words")])
    runs = tuple(dict.fromkeys(run for word in words for run in asked_runs_of(word)))
    if not runs:
        raise InvalidInput(
            [FieldProblem("/q", "must have a word of two letters, or one Chinese, Japanese or Korean character")]
        )
    return Search(words, comparable(text), runs[:MOST_TERMS])


def runs_of(word: str) -> set[str]:
    """Every run of a word that a search may ask for.

    Pairs, since a search may have only two characters; triples where pairs would be too common, as in scripts of few
    letters; and single characters of scripts of many.
    """
    pairs = {word[start : start + 2] for start in range(len(word) - 1)}
    triples = {word[start : start + 3] for start in range(len(word) - 2)}
    if word.isascii():
        return pairs | triples
    alone = {character for character in set(word) if is_unspaced(character)}
    return alone | pairs | {run for run in triples if alone.isdisjoint(run)}


@lru_cache(maxsize=20_000)
def runs_of_short(word: str) -> frozenset[str]:
    """The same of a word that may well come again."""
    return frozenset(runs_of(word))


def asked_runs_of(word: str) -> Iterable[str]:
    """The fewest runs that any text with this word in it has."""
    if len(word) < LEAST_CHARS:
        return [word] if is_unspaced(word) else []
    length = 2 if len(word) == LEAST_CHARS or any(map(is_unspaced, word)) else 3
    return [word[start : start + length] for start in range(len(word) - length + 1)]
