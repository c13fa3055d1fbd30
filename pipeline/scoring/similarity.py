"""How much an answer says the same as a reference answer, in [0, 1], without a model.

A weighted overlap of tokens. docs/why.md has what each part contributes to agreement with human
labels; the constants are round numbers from a plateau.

- Words that the prompt already holds, and function words, say little.
- A word counts less where one side negates it and the other does not.
- Inflected and misspelt words count as what they resemble.
- What the reference says and the answer lacks matters more than what the answer adds.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec
from rapidfuzz.fuzz import ratio

from pipeline.scoring.negation import is_negation, negated
from pipeline.scoring.stem import stem
from pipeline.scoring.text import comparable, is_unspaced, tokens

FUNCTION_WORD_WEIGHT: Final = 0.1
PROMPT_WORD_WEIGHT: Final = 0.3
NEGATION_WEIGHT: Final = 0.5
OPPOSITE_CREDIT: Final = 0.4
"""What is left of a word's weight where one side negates it and the other does not."""

RECALL_SHARE: Final = 0.85
"""Weight of recall against precision in van Rijsbergen's effectiveness measure (1979, ch. 7)."""

MIN_RESEMBLANCE: Final = 0.7
"""Least likeness (twice the common subsequence over both lengths) of a word and its misspelling."""

MIN_RESEMBLING_CHARS: Final = 3
MAX_COMPARISONS: Final = 5_000
"""Word pairs that are compared letter by letter per answer; beyond them only equal words match."""

SYMBOL_CHARS: Final = 500
"""Texts without any word (formulas, emoji) are compared letter by letter up to this length."""

_ENGLISH: Final = """
    a an the of in on at to for with by from as is are was were be been being am it its this that these
    those there here he she they them their his her you your i we our us my me and or but so if then than
    because since also just do does did done doing have has had having will would can could should may
    might must what which who how why when where while very really about into s t
"""
_FUNCTION_WORDS: Final = frozenset(_ENGLISH.split())

_PLAIN: Final = 1
_NEGATED: Final = 2


class Profile(msgspec.Struct, frozen=True):
    """A text as similarity sees it.

    Weights of its stemmed words, whether each stands plain, negated or both, the content words among
    them, and whether the text negates an odd number of times.
    """

    weights: Mapping[str, float]
    polarity: Mapping[str, int]
    total: float
    content: frozenset[str]
    denies: bool


def similarity(answer: str, references: Sequence[str], prompt: str) -> float:
    """The likeness of `answer` to the best of `references`, in [0, 1].

    A reference itself, however it is cased or spaced, scores exactly 1.
    """
    written = comparable(answer)
    if any(written == comparable(reference) for reference in references):
        return 1.0
    known = {stem(token) for token in tokens(prompt)}
    given = _profile(tokens(answer), known)
    if not given.weights:
        return max((_symbol_likeness(written, comparable(reference)) for reference in references), default=0.0)
    keys = [_profile(tokens(reference), known) for reference in references]
    resembling = _resembling({word for key in keys for word in key.weights}, given.weights)
    return max((_likeness(given, key, resembling) for key in keys), default=0.0)


def _profile(words: Sequence[str], prompt: AbstractSet[str]) -> Profile:
    weights: dict[str, float] = {}
    polarity: dict[str, int] = defaultdict(int)
    content: set[str] = set()
    denials = 0
    for word, under_negation in zip(words, negated(words, _FUNCTION_WORDS), strict=True):
        stemmed = stem(word)
        denying = is_negation(word)
        denials += denying
        weight = _weight(word, denying=denying)
        weights[stemmed] = weight * PROMPT_WORD_WEIGHT if stemmed in prompt else weight
        polarity[stemmed] |= _NEGATED if under_negation else _PLAIN
        if not denying and word not in _FUNCTION_WORDS:
            content.add(stemmed)
    return Profile(weights, polarity, sum(weights.values()), frozenset(content), denies=denials % 2 == 1)


def _weight(word: str, *, denying: bool) -> float:
    if word in _FUNCTION_WORDS:
        return FUNCTION_WORD_WEIGHT
    return NEGATION_WEIGHT if denying and not is_unspaced(word) else 1.0


def _likeness(given: Profile, key: Profile, resembling: Mapping[str, tuple[str, float]]) -> float:
    """Effectiveness 1 / (share/recall + (1 - share)/precision) of the answer as a search for the key."""
    found = hit = 0.0
    for word, weight in key.weights.items():
        match, closeness = (word, 1.0) if word in given.weights else resembling.get(word, ("", 0.0))
        if closeness:
            credit = closeness * _agreement(given.polarity[match], key.polarity[word])
            found += credit * weight
            hit += credit * given.weights[match]
    if not found:
        return 0.0
    recall, precision = found / key.total, min(1.0, hit / given.total)
    likeness = min(1.0, 1.0 / (RECALL_SHARE / recall + (1.0 - RECALL_SHARE) / precision))
    return likeness * OPPOSITE_CREDIT if _contradicts(given, key) else likeness


def _contradicts(given: Profile, key: Profile) -> bool:
    """Whether two texts differ in nothing but that one denies what the other says."""
    return given.denies != key.denies and given.content == key.content


def _agreement(given: int, key: int) -> float:
    """1 where a word is negated on both sides or neither, less where one says both, least where opposed."""
    if given == key:
        return 1.0
    return (1.0 + OPPOSITE_CREDIT) / 2 if given & key else OPPOSITE_CREDIT


def _resembling(wanted: Iterable[str], given: Iterable[str]) -> dict[str, tuple[str, float]]:
    """For each wanted word that is not given, the given word it resembles most, and how much.

    Only words with the same first letter: misspellings rarely touch it (Pollock and Zamora, 1984), and
    opposites that differ by a prefix (connected, disconnected; increase, decrease) must not match.
    """
    given = frozenset(given)
    wanted = frozenset(wanted)
    by_letter: dict[str, list[str]] = defaultdict(list)
    for word in sorted(given - wanted):
        if _may_resemble(word):
            by_letter[word[0]].append(word)
    best: dict[str, tuple[str, float]] = {}
    budget = MAX_COMPARISONS
    for word in sorted(wanted - given):
        candidates = by_letter[word[0]][:budget] if _may_resemble(word) else []
        budget -= len(candidates)
        closeness, match = max(((ratio(word, other) / 100, other) for other in candidates), default=(0.0, ""))
        if closeness >= MIN_RESEMBLANCE:
            best[word] = (match, closeness)
    return best


def _may_resemble(word: str) -> bool:
    return len(word) >= MIN_RESEMBLING_CHARS and not word[0].isdigit() and not is_unspaced(word)


def _symbol_likeness(written: str, reference: str) -> float:
    return ratio(written[:SYMBOL_CHARS], reference[:SYMBOL_CHARS]) / 100
