"""A text as somebody reads it who looks through tricks: for checks only, never to be shown.

Look-alike letters, full-width forms, entities, escapes, emphasis inside words, letters spaced out or replaced by
digits: a check that looks only at the characters as they are written would pass what any learner can read.
"""

import html
import re
import unicodedata
from functools import lru_cache
from typing import Final

from pipeline.prompting.visible import visible

_LOOKALIKES: Final = str.maketrans(
    "аеорсухіјѕһԁԛԝвкмнтгпαοεικνρτυχωβγ",
    "aeopcyxijshdqwbkmhtrnaoeiknptuxwby",
)
_SMALL_CAPITALS: Final = str.maketrans("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz")
_DIGIT_LETTERS: Final = (str.maketrans("013457@$!", "oieastasi"), str.maketrans("013457@$!", "oleastasi"))

_ESCAPED: Final = re.compile(r"\\([!-/:-@\[-`{-~])")
_EMPHASIS: Final = re.compile(r"[*`~]+|(?<!\w)_+|_+(?!\w)")
_MIXED_WORD: Final = re.compile(r"(?<!\w)(?=\w*[a-z])(?=\w*[\u0370-\u052f])\w+")
_FOREIGN_LOOKALIKE: Final = re.compile(r"(?<!\w)[асеорхуіјѕԁԛԝһ]{2,}(?!\w)")
_SPACED_OUT: Final = re.compile(r"(?<![\w])(?:[^\W\d_][ .·_-]{1,2}){2,}[^\W\d_](?!\w)")
_SPACES: Final = re.compile("[ .·_-]")
_HYPHEN: Final = re.compile(r"(?<=[a-z])[-·](?=[a-z])")
_DISGUISED_WORD: Final = re.compile(r"(?<![\w@$])(?=[\w@$]*[a-z])(?=[\w@$]*[013457@$])[\w@$]{2,}")
_BLANKS: Final = re.compile(r"[^\S\n]+")
_OPEN_BLANKS: Final = re.compile(r" ?\n[ \n]*")

_READABLE_CHARS: Final = 20_000


def canonical(text: str) -> str:
    """`text` with entities, escapes and emphasis resolved, look-alikes made Latin, folded; line breaks stay."""
    seen = text[:_READABLE_CHARS]
    seen = visible(html.unescape(html.unescape(seen)) if "&" in seen else seen)
    if not seen.isascii():
        seen = unicodedata.normalize("NFKC", seen)
    seen = _EMPHASIS.sub("", _ESCAPED.sub(r"\1", seen).casefold())
    if not seen.isascii():
        seen = unicodedata.normalize("NFC", seen).replace("’", "'").translate(_SMALL_CAPITALS)
        seen = _exchanged(_MIXED_WORD, _LOOKALIKES, seen)
    return _OPEN_BLANKS.sub("\n", _BLANKS.sub(" ", seen)).strip()


@lru_cache(maxsize=256)  # one section is read by several checks, one after the other
def readings(text: str) -> tuple[str, ...]:
    """The ways to read `text`: as it is, with words joined that were spaced out or hyphenated, with digits or
    look-alikes as the letters they stand for.
    """  # noqa: D205 - one sentence
    plain = canonical(text)
    ways = (
        plain,
        _SPACED_OUT.sub(lambda run: _SPACES.sub("", run.group()), plain),
        _HYPHEN.sub("", plain),
        *(_exchanged(_DISGUISED_WORD, table, plain) for table in _DIGIT_LETTERS),
        plain if plain.isascii() else _exchanged(_FOREIGN_LOOKALIKE, _LOOKALIKES, plain),
    )
    return tuple(dict.fromkeys(ways))


def _exchanged(words: re.Pattern[str], table: dict[int, int], text: str) -> str:
    return words.sub(lambda word: word.group().translate(table), text)
