"""Lists of patterns that are looked for in a sentence."""

import re
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from pipeline.prompting.sieve import Sieve


class Phrases(NamedTuple):
    """Patterns; the `eastern` ones need a character beyond ASCII, so most sentences are spared them.

    One by one they are quicker than joined: Python tries every alternative at every place. The sieve tells of most
    sentences that none of the others is in it.
    """

    patterns: tuple[re.Pattern[str], ...]
    eastern: tuple[re.Pattern[str], ...]
    sieve: Sieve

    def found_in(self, sentence: str) -> bool:
        """Whether any of them is in it."""
        if not self.sieve.passes(sentence):
            return False
        sought = self.patterns if sentence.isascii() else chain(self.patterns, self.eastern)
        return any(pattern.search(sentence) for pattern in sought)


def phrases(patterns: Sequence[str], eastern: Sequence[str]) -> Phrases:
    """The compiled patterns."""
    compiled = tuple(map(re.compile, patterns))
    return Phrases(compiled, tuple(map(re.compile, eastern)), Sieve(compiled))
