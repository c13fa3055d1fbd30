"""A light stemmer for English inflection; other scripts pass through unchanged.

Porter's stemmer conflates more than an answer key can bear (general and generation, universe and
university); plural, -ed, -ing and -ly are what learners' answers differ by. Where a suffix is English
only by chance, both sides lose it alike.
"""

from typing import Final

_SUFFIXES: Final = (("ies", "y"), ("ing", ""), ("edly", ""), ("ed", ""), ("ly", ""), ("es", "e"), ("s", ""))
_SHORTEST_CUT: Final = 5
_SHORTEST_STEM: Final = 3


def stem(word: str) -> str:
    """The word without its inflection: connects, connected and connecting give connect."""
    if not word.isascii() or len(word) < _SHORTEST_CUT - 1:
        return word
    if len(word) < _SHORTEST_CUT:
        return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
    return _undouble(_without_e(_without_suffix(word)))


def _without_suffix(word: str) -> str:
    for suffix, replacement in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= _SHORTEST_STEM:
            return word if word.endswith("ss") else word.removesuffix(suffix) + replacement
    return word


def _without_e(word: str) -> str:
    return word[:-1] if word.endswith("e") and len(word) > _SHORTEST_STEM else word


def _undouble(word: str) -> str:
    """Stopped gives stop; fall, pass and buzz keep their letters."""
    doubled = len(word) > _SHORTEST_STEM and word[-1] == word[-2] and word[-1] not in "lsz"
    return word[:-1] if doubled else word
