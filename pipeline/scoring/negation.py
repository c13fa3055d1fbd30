"""Which words of a text stand under a negation.

In the manner of NegEx (Chapman and others, 2001): a negation governs the next few content words. In
Chinese, Japanese and Korean it may stand before or after what it negates, so it governs both sides.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from pipeline.scoring.text import is_unspaced

SCOPE_WORDS: Final = 3
"""How many content words (or character pairs on either side) a negation governs."""

_NEGATIONS: Final = """
    not no never none nothing neither nor without cant dont doesnt didnt isnt arent wasnt werent wont
    wouldnt couldnt shouldnt hasnt havent hadnt nicht kein keine nie pas jamais non nunca não
"""
_WORDS: Final = frozenset(_NEGATIONS.split())
_CHARACTERS: Final = frozenset("不没沒无無未非않없못")
_PAIRS: Final = frozenset({"ない", "なく", "なか", "せん", "안", "아니"})


def is_negation(token: str) -> bool:
    """Whether a token says no: an English or common European word, or a Chinese, Japanese or Korean mark."""
    if token in _WORDS or token in _PAIRS:
        return True
    return not token.isascii() and not _CHARACTERS.isdisjoint(token)


def negated(tokens: Sequence[str], function_words: AbstractSet[str]) -> list[bool]:
    """For each token, whether a negation governs it; negations themselves stand plain."""
    governed = [False] * len(tokens)
    left = 0
    for position, token in enumerate(tokens):
        if not is_negation(token):
            governed[position] = governed[position] or left > 0
            left -= left > 0 and token not in function_words
        elif is_unspaced(token):
            _govern_around(governed, position)
        else:
            left = SCOPE_WORDS
    return governed


def _govern_around(governed: list[bool], position: int) -> None:
    start, end = max(0, position - SCOPE_WORDS), min(len(governed), position + SCOPE_WORDS + 1)
    governed[start:end] = [True] * (end - start)
