"""What a question asks, short enough for a list."""

import re
from typing import Final

from api.pages.geometry import ELLIPSIS, fitted

BLOCK: Final = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
FENCE: Final = re.compile(r"```(?:[^\S\n]*[\w+#.-]*[^\S\n]*\n)?")
SPAN: Final = re.compile(r"`([^`\n]+)`")


def excerpt(prompt: str, most: int) -> str:
    """The beginning of a prompt on one line, at most `most` columns wide.

    Blocks of code, which are nothing on one line, become an ellipsis; a prompt that is code alone keeps it.
    """
    words = BLOCK.sub(f" {ELLIPSIS} ", prompt)
    if not words.strip(f" \n{ELLIPSIS}"):
        words = FENCE.sub(" ", prompt)
    line = " ".join(SPAN.sub(r"\1", words).split())
    return fitted(line or prompt.strip(), most)
