"""Lists of patterns that are looked for in a sentence."""

import re
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple


class Phrases(NamedTuple):
    """Patterns; the `eastern` ones need a character beyond ASCII, so most sentences are spared them.

    One by one they are quicker than joined: Python tries every alternative at every place.
    """

    patterns: tuple[re.Pattern[str], ...]
    eastern: tuple[re.Pattern[str], ...]

    def found_in(self, sentence: str) -> bool:
        """Whether any of them is in it."""
        sought = self.patterns if sentence.isascii() else chain(self.patterns, self.eastern)
        return any(pattern.search(sentence) for pattern in sought)


def phrases(patterns: Sequence[str], eastern: Sequence[str]) -> Phrases:
    """The compiled patterns."""
    return Phrases(tuple(map(re.compile, patterns)), tuple(map(re.compile, eastern)))
