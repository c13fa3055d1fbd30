"""Telephone numbers in a text: international ones, and national ones of Korea, Japan, China, the US and Germany.

Digits alone prove nothing. What counts is a shape that a country's numbers have and other numbers don't, a word such
as "phone" before it, and that no letter, point or sign of arithmetic ties it to something else.
"""

import re
from collections.abc import Iterator
from enum import Enum
from typing import Any, Final

import msgspec

from pipeline.privacy.pattern import compiled
from pipeline.privacy.spelling import has_digits, is_cjk, is_joined, is_quoted


class Proof(Enum):
    """How much a shape proves by itself."""

    SURE = "in any text"
    PROSE = "in prose; in a program it could be arithmetic"
    NONE = "only where a word before it says so"


class Shape(msgspec.Struct, frozen=True):
    """A form in which numbers are written, how many digits they have, and how much the form proves."""

    pattern: Any
    digits: range
    proof: Proof


SHAPES: Final = tuple(
    Shape(compiled(pattern), digits, proof)
    for pattern, digits, proof in (
        # +82 10-1234-5678, +1 (555) 123-4567, +49 (0) 30 123456
        (
            r"\+[1-9]\d{0,2}(?:[ .\-/]{1,2}\(?\d{1,5}\)?|\(\d{1,5}\)){1,7}(?:[ .\-/]?\d{1,5}){0,5}",
            range(9, 17),
            Proof.SURE,
        ),
        (r"\+[1-9]\d{8,14}", range(9, 16), Proof.PROSE),
        (
            r"00(?:1|3[0-4]|36|39|4[0134-9]|6[0-6]|8[1246]|9[0-58])[ .\-/]\d{1,5}(?:[ .\-/]?\d{2,5}){1,5}",
            range(11, 18),
            Proof.PROSE,
        ),
        # 010-1234-5678, 02-123-4567, 02)123-4567
        (r"01[016789](?:-\d{3,4}-|\.\d{3,4}\.| \d{3,4} )\d{4}", range(10, 12), Proof.SURE),
        (r"010\d{8}", range(11, 12), Proof.PROSE),
        (r"\(?0(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70|50\d)(?:\) ?|-)\d{3,4}-\d{4}", range(9, 13), Proof.PROSE),
        # 090-1234-5678, 03-1234-5678, (03) 1234-5678, 03(1234)5678
        (r"0[789]0[ \-]\d{4}[ \-]\d{4}", range(11, 12), Proof.SURE),
        (r"0[789]0\d{8}", range(11, 12), Proof.PROSE),
        (r"\(?0\d{1,4}(?:-|\) ?|\()\d{1,4}[\-)]\d{4}", range(10, 11), Proof.PROSE),
        # 13812345678, 138-1234-5678, 010-12345678, (0755) 1234567
        (r"1[3-9]\d-\d{4}-\d{4}|1[3-9]\d \d{4} \d{4}", range(11, 12), Proof.PROSE),
        (r"1[3-9]\d{9}", range(11, 12), Proof.PROSE),
        (r"\(?0(?:10|2\d|[3-9]\d{2})(?:-|\) ?)\d{7,8}", range(10, 13), Proof.PROSE),
        # (555) 123-4567, 555-123-4567, 1-555-123-4567
        (r"(?:1[ .\-])?\([2-9]\d{2}\) ?\d{3}[ .\-]\d{4}", range(10, 12), Proof.PROSE),
        (r"(?:1-)?[2-9]\d{2}-\d{3}-\d{4}|(?:1\.)?[2-9]\d{2}\.\d{3}\.\d{4}", range(10, 12), Proof.PROSE),
        # 0170 1234567, 0170/1234567, 030 1234567, (0221) 12 34 56
        (r"01[567]\d{1,2}(?: ?[/\-] ?| )\d{3,4}(?: ?\d{2,5}){1,3}", range(10, 13), Proof.PROSE),
        (r"01[567]\d{8,9}", range(11, 13), Proof.PROSE),
        (
            r"\(0[2-9]\d{1,4}\) ?\d{2,8}(?:[ \-]\d{1,5}){0,3}|0[2-9]\d{1,4} ?/ ?\d{2,8}(?:[ \-]\d{1,5}){0,3}",
            range(8, 13),
            Proof.PROSE,
        ),
        (r"0[2-9]\d{1,4}[ \-]\d{6,8}(?:-\d{1,4})?", range(9, 14), Proof.PROSE),
        # whatever a word calls a number to ring: 555 123 4567, 030 12 34 56 78, 5551234567
        (r"\(?\d{2,6}\)?(?:[ .\-/]{0,2}\d{2,8}){1,5}", range(7, 16), Proof.NONE),
    )
)

WORDS: Final = (
    "phone", "tel.", "tel:", "tel ", "call", "mobile", "mobil", "cell", "fax", "handy", "whatsapp", "sms", "wechat",
    "rufnummer", "전화", "연락처", "휴대", "핸드폰", "번호", "電話", "携帯", "连絡", "連絡先", "ケータイ",
    "电话", "手机", "手機", "联系方式", "号码", "號碼",
)  # fmt: skip
_WORDS_BEFORE: Final = 20

# Country codes by their first digits (ITU-T E.164): those that are given out.
_CODE_LIST: Final = (
    "1 20 211 212 213 216 218 22 23 24 25 26 27 290 291 297 298 299 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 "
    "47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 65 66 67 68 69 7 81 82 84 85 86 88 90 91 92 93 94 95 96 97 "
    "98 99"
)
_CODES: Final = tuple(_CODE_LIST.split())
_BOUND_BEFORE: Final = frozenset("+-*/=.,:#$€£¥₩%^~@&_\\)")
_BOUND_BEHIND: Final = frozenset(".,:/-+*%")
LONGEST: Final = 40
"""No telephone number is longer, in characters."""
_FIRST_GROUP: Final = re.compile(r"[+(]{0,2}\d{1,20}")
_DIGITS: Final = "0123456789"
_BETWEEN: Final = " .-/()+"
_BITS: Final = frozenset("01")
_MOST_TRAILING_ZEROS: Final = 4


def find_phones(text: str, *, programming: bool) -> Iterator[tuple[int, int]]:
    """Where telephone numbers are."""
    if not has_digits(text):
        return
    lowered = text.lower()
    called = any(word in lowered for word in WORDS)
    for shape in SHAPES:
        if shape.proof is not Proof.NONE or called:
            yield from phones_of(shape, text, programming=programming)


def phones_of(shape: Shape, text: str, *, programming: bool) -> Iterator[tuple[int, int]]:
    """Where numbers of one shape are; where one took in the beginning of the next, that one as well."""
    for match in shape.pattern.finditer(text):
        span = fitted(shape, text, match.span(), programming=programming)
        if span is not None:
            yield span
        rest = behind_group(text, match.start()) if span is None else span[1]
        if rest < match.end():
            for behind in shape.pattern.finditer(text[rest : match.end() + LONGEST]):
                found = fitted(shape, text, (rest + behind.start(), rest + behind.end()), programming=programming)
                if found is not None:
                    yield found


def behind_group(text: str, start: int) -> int:
    """Where the first group of digits of a number ends."""
    match = _FIRST_GROUP.match(text, start)
    return match.end() if match else start


def fitted(shape: Shape, text: str, span: tuple[int, int], *, programming: bool) -> tuple[int, int] | None:
    """The number there, without groups at its end that are another's (`+82 10-1234-5678 2024`) or half a bracket."""
    start, end = span
    if text[start] == "(" and ")" not in text[start:end]:
        start += 1
    while end > start:
        found = text[start:end]
        if found.endswith(")") and found.count(")") > found.count("("):
            end -= 1
        elif is_number_apart(text, start, end) and is_phone(found, shape.digits):
            return (start, end) if is_proven(text, start, end, shape.proof, programming=programming) else None
        else:
            end = start + len(found.rstrip(_DIGITS).rstrip(_BETWEEN))
    return None


def is_number_apart(text: str, start: int, end: int) -> bool:
    """Whether nothing before or behind it makes it a part of a longer number, a date, an address or an expression."""
    before, behind = text[start - 1 : start], text[end : end + 1]
    if text[start] == "+" and before.isascii() and (before.isalnum() or before in {")", "]"}):
        return False  # a sum
    if is_joined(text, start) or is_joined(text, end) or (before and before in _BOUND_BEFORE):
        return is_labelled(text, start) and not is_joined(text, start) and not is_joined(text, end)
    if text.startswith("00", start) and before == " " and text[start - 2 : start - 1].isdecimal():
        return False  # a group among groups, as of an account number
    return not (behind in _BOUND_BEHIND and text[end + 1 : end + 2].isdecimal())


def is_labelled(text: str, start: int) -> bool:
    """Whether a colon before it belongs to a word: `Tel:010-1234-5678`, not `12:010-1234-5678`."""
    return start > 1 and text[start - 1] in ":." and (text[start - 2].isalpha() or is_cjk(text[start - 2]))


def is_phone(found: str, digits: range) -> bool:
    """Whether it has as many digits as it should, and they are not those of a round or a binary number."""
    figures = "".join(filter(str.isdecimal, found))
    if len(figures) not in digits or set(figures) <= _BITS or figures.endswith("0" * (_MOST_TRAILING_ZEROS + 1)):
        return False
    return not found.startswith("+") or figures.startswith(_CODES)


def is_proven(text: str, start: int, end: int, proof: Proof, *, programming: bool) -> bool:
    """Whether there is enough to call it a telephone number."""
    if proof is Proof.SURE or is_called_phone(text, start):
        return True
    return proof is Proof.PROSE and (not programming or is_quoted(text, start, end))


def is_called_phone(text: str, start: int) -> bool:
    words = text[max(0, start - _WORDS_BEFORE) : start].lower()
    return any(word in words for word in WORDS)
