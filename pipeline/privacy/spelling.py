"""A text with widths, digits and dashes made the same, character for character, so that every place stays its place."""

import re
import unicodedata
from typing import Final

_DASHES: Final = "\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d\u30fc"
_BLANKS: Final = "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"


def _even() -> dict[int, str]:
    table = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    table |= dict.fromkeys(range(0xD800, 0xE000), "\ufffd")  # half a character has no bytes to search in
    table |= dict.fromkeys(map(ord, _BLANKS), " ")
    table |= dict.fromkeys(map(ord, _DASHES), "-")
    table |= {
        code: str(unicodedata.decimal(chr(code)))
        for code in range(0x80, 0x1FFFF)
        if unicodedata.category(chr(code)) == "Nd"
    }
    return table


_EVEN: Final = _even()
_DIGIT: Final = re.compile(r"[0-9]")


def even(text: str) -> str:
    """`text` with full-width characters, all digits, dashes and blanks as in ASCII; as long as before."""
    return text if text.isascii() else text.translate(_EVEN)


def has_digits(text: str) -> bool:
    """Whether there is any digit in a text as `even` spells it."""
    return _DIGIT.search(text) is not None


def is_joined(text: str, at: int) -> bool:
    """Whether the characters before and at `at` are of one word or number, so that nothing ends there.

    Han, kana and Hangul next to other letters end a word: nothing separates them when they are written together.
    """
    if at <= 0 or at >= len(text):
        return False
    return _is_part(text[at - 1]) and _is_part(text[at])


def _is_part(character: str) -> bool:
    return (character.isalnum() or character == "_") and not is_cjk(character)


def is_cjk(character: str) -> bool:
    """Whether it is Han, kana or Hangul."""
    return (
        is_hangul(character)
        or "\u3005" <= character <= "\u9fff"
        or "\uf900" <= character <= "\ufaff"
        or ("\U00020000" <= character <= "\U000323af")
    )


def is_hangul(character: str) -> bool:
    """Whether it is a Korean syllable, or a part of one."""
    return "\uac00" <= character <= "\ud7a3" or "\u1100" <= character <= "\u11ff" or "\u3130" <= character <= "\u318f"


def is_quoted(text: str, start: int, end: int) -> bool:
    """Whether it stands in quotation marks of its own."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return before != "" and before in "\"'`\u201c\u2018" and after != "" and after in "\"'`\u201d\u2019"
