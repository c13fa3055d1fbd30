"""Text as people see it: without the characters that only machines read.

Stricter than `plain`, which quotes people to people: what goes to a model, and what comes from one, can carry
messages in tags, variation selectors, zero-width and direction marks. Nothing that is read by people is lost, but
families of emoji may fall apart.
"""

import re
import unicodedata
from typing import Final

CUT: Final = "[… the rest is left out]"
"""Stands at the end of data that was too long to be sent."""

_UNSEEN: Final = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls but tab and line feed
    "\u00ad\u034f\u061c\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero-width, separators, direction
    "\u115f\u1160\u17b4\u17b5\u3164\uffa0"  # fillers, drawn as nothing
    "\ufe00-\ufe0e\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff\ue000-\uf8ff"  # lone surrogates; private use, which has no meaning between strangers
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff\U000f0000-\U0010ffff"  # tags, more selectors, private use
    "]"
)
_EMOJI_SELECTORS: Final = re.compile("\ufe0f{2,}|(?<=[A-Za-z\\s])\ufe0f")
_LINE_ENDS: Final = re.compile("\r\n?|\x85|\u2028|\u2029")


def visible(text: str) -> str:
    """`text` without unseen characters, line ends made line feeds."""
    return _EMOJI_SELECTORS.sub("", _UNSEEN.sub("", _LINE_ENDS.sub("\n", text)))


def bounded(text: str, limit: int) -> str:
    """`text` as `visible` leaves it, without blanks around it; a longer one is cut at `limit` and says so.

    At most twice as many characters are looked at, so that a text of unseen ones costs nothing.
    """
    seen = visible(text[: 2 * limit]).strip()
    if len(seen) <= limit and len(text) <= 2 * limit:
        return seen
    return f"{seen[:limit].rstrip()} {CUT}"


def folded(text: str) -> str:
    """The form in which two texts say the same: NFKC, case folded, blanks collapsed, nothing unseen."""
    return " ".join(unicodedata.normalize("NFKC", visible(text)).casefold().split())
