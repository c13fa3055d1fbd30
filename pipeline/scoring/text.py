"""Texts made comparable: normalisation for equality, tokens for similarity.

Everything here is bounded: no input costs more than a few milliseconds, whatever it holds.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

TEXT_CHARS: Final = 20_000
"""Longer texts are cut before they are compared; responses this long are refused earlier anyway."""

MAX_GROWTH: Final = 4
"""No written language grows more in NFKC; a text made of U+FDFA alone would grow 18 times."""

_ALWAYS_KEPT_CHARS: Final = 500
_UNSETTLED_CHARS: Final = 32 * 18
"""What stands behind a cut can change no more than this before it: a character with its marks, each grown 18 times."""

MAX_TOKENS: Final = 4_000
"""Tokens beyond these are ignored: a short answer that needs more is no short answer."""


def _character_class(codes: Iterable[int]) -> str:
    """Character codes as the inside of a regular expression's class, in ranges."""
    members = set(codes)
    starts = sorted(code for code in members if code - 1 not in members)
    ends = sorted(code for code in members if code + 1 not in members)
    return "".join(f"{chr(start)}-{chr(end)}" for start, end in zip(starts, ends, strict=True))


_MARKS: Final = _character_class(c for c in range(0x300, 0x10000) if unicodedata.category(chr(c)).startswith("M"))
_COMBINING: Final = _character_class(c for c in range(0x300, 0x10000) if unicodedata.combining(chr(c)))
_RARE_COMBINING: Final = _character_class(c for c in range(0x10000, 0x1F000) if unicodedata.combining(chr(c)))
# The rarer planes apart and behind a look ahead: in one class they make every character slow to test.
_MARK: Final = f"(?:[{_COMBINING}]|(?=[\U00010000-\U0001efff])[{_RARE_COMBINING}])"

# Python reorders a run of combining marks in quadratic time. Runs are cut to 30 as in Unicode's
# stream-safe text format (UAX #15, section 13), which no written language exceeds.
_MARK_RUN: Final = re.compile(f"({_MARK}{{30}}){_MARK}+")

# Zero-width space, word joiner, byte order mark, soft hyphen: pasted along unseen, they mean nothing.
_INVISIBLE: Final = re.compile("[\u200b\u2060\ufeff\u00ad]")

# Han (with iteration marks), kana and Hangul: scripts in which a blank is a matter of taste or absent.
_CJK: Final = (
    "\u1100-\u11ff\uac00-\ud7a3\u3040-\u30ff\u31f0-\u31ff\u3005-\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af"
)
# Thai, Lao, Myanmar and Khmer are written without blanks between words as well.
_UNSPACED: Final = f"{_CJK}\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_CJK_BLANK: Final = re.compile(f" (?:(?<=[{_CJK}] )|(?=[{_CJK}]))")

_TOKEN: Final = re.compile(
    f"(?P<unspaced>[{_UNSPACED}]+)|(?P<number>\\d+(?:\\.\\d+)?)"
    f"|(?P<word>(?:(?![{_UNSPACED}])[^\\W\\d_])(?:(?![{_UNSPACED}])(?:[^\\W\\d_]|[{_MARKS}]))*)"
)
_NUMBER_WORDS: Final = {
    word: str(value)
    for value, word in enumerate(
        (
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        )
    )
}
_CONTRACTED_NOT: Final = re.compile("n['\u2019]t\\b|(?<=\\bcan)not\\b")


def fold(text: str, *, keep_case: bool = False) -> str:
    """`text` in Unicode NFKC, without invisible characters, blanks collapsed and, usually, case folded.

    NFKC makes full-width digits, half-width kana and decomposed Hangul the same as their usual forms;
    case folding is Unicode's full folding, normalised once more because it can leave NFKC. Folding a
    folded text is cheap, so callers fold once what they compare often.
    """
    text = _INVISIBLE.sub("", text[:TEXT_CHARS])
    if not text.isascii():
        limit = min(TEXT_CHARS, max(MAX_GROWTH * len(text), _ALWAYS_KEPT_CHARS))
        text = _normalised(_MARK_RUN.sub(r"\1", text), limit)
    if not keep_case:
        text = text.casefold()
        if not text.isascii():
            text = unicodedata.normalize("NFKC", text)
    return " ".join(text.split())


def _normalised(text: str, limit: int) -> str:
    """The first `limit` characters of the text's NFKC, without working out much more than those."""
    size = limit // 8
    while size < len(text):
        beginning = unicodedata.normalize("NFKC", text[:size])
        if len(beginning) >= limit + _UNSETTLED_CHARS:
            return beginning[:limit]
        size *= 4
    return unicodedata.normalize("NFKC", text)[:limit]


def comparable(text: str, *, keep_case: bool = False) -> str:
    """The form in which two texts are equal: `fold`, and no blanks beside Chinese, Japanese or Korean.

    Chinese and Japanese have no blanks between words, and Korean orthography lets compound terms be
    written either way (자료 구조, 자료구조), so a blank there must not decide over an answer.
    """
    return _CJK_BLANK.sub("", fold(text, keep_case=keep_case))


def is_blank(text: str) -> bool:
    """Whether nothing visible is written, over at most `TEXT_CHARS` characters."""
    return len(text) <= TEXT_CHARS and not _INVISIBLE.sub("", text).strip()


def tokens(text: str) -> list[str]:
    """The units of which similarity is made, in order, at most `MAX_TOKENS`.

    Words in scripts with blanks (English number words up to twelve as digits, "n't" as "not"), numbers,
    and overlapping pairs of characters in scripts without: a dictionary-free stand-in for words that
    is known to serve Chinese, Japanese and Korean retrieval about as well as segmentation
    (Nie and Ren, "Chinese information retrieval: using characters or words?", 1999).
    """
    return list(islice(_tokens(_CONTRACTED_NOT.sub(" not", fold(text))), MAX_TOKENS))


def _tokens(folded: str) -> Iterator[str]:
    for match in _TOKEN.finditer(folded):
        run = match.group()
        if match.lastgroup == "unspaced":
            yield from character_pairs(run)
        else:
            yield _NUMBER_WORDS.get(run, run)


def character_pairs(run: str) -> Iterator[str]:
    """The overlapping pairs of `run`, or `run` itself where it is a single character."""
    if len(run) == 1:
        yield run
    for start in range(len(run) - 1):
        yield run[start : start + 2]


def is_unspaced(token: str) -> bool:
    """Whether a token comes from a script without blanks between words."""
    return _UNSPACED_START.match(token) is not None


_UNSPACED_START: Final = re.compile(f"[{_UNSPACED}]")
