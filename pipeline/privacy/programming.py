"""Whether a question is about programs, whose numbers and names are not anybody's."""

import re
from typing import Final

from pipeline.model import Question

_WORDS: Final = (
    "algorithm algorithms api backend bash c clang cloud code coding computing cpp css csharp data database databases "
    "dart devops django docker fastapi flask flutter frontend git go golang html java javascript js json kotlin "
    "kubernetes linux node nodejs php programming python react regex ruby rust script scripting shell software sql "
    "swift typescript ts unix vue web"
)
WORDS: Final = frozenset(_WORDS.split())
"""Words of a question's topics, tags or module that tell it is about programs."""

_BETWEEN: Final = re.compile(r"[^a-z]+")


def is_programming(question: Question) -> bool:
    """Whether its topics, tags or module speak of programming, or its text holds a block of code."""
    labels = (*question.topics, *question.tags, question.module or "")
    words = {word for label in labels for word in _BETWEEN.split(label.lower())}
    return not WORDS.isdisjoint(words) or "```" in question.prompt
