"""Numbers of cards and bank accounts in a text: told from other numbers by their check digits."""

from collections.abc import Iterator
from itertools import accumulate
from types import MappingProxyType
from typing import Final

from pipeline.privacy.pattern import compiled
from pipeline.privacy.spelling import has_digits, is_joined, is_quoted

CARD_DIGITS: Final = range(13, 20)
CARD_STARTS: Final = "23456"  # ISO/IEC 7812: those of travel, banking and merchandising; others number other things
FIRST_GROUP: Final = 4
GROUP_DIGITS: Final = range(3, 8)
ROUND: Final = "000000"
MOST_GROUPS: Final = 6

_DIGIT_GROUPS: Final = compiled(r"\d+(?:[ -]\d+)*")
_CARD_WORDS: Final = ("card", "visa", "master", "amex", "karte", "カード", "카드", "卡")
_WORDS_BEFORE: Final = 24


def find_cards(text: str, *, programming: bool) -> Iterator[tuple[int, int]]:
    """Where card numbers are: 13 to 19 digits that satisfy Luhn, in one run or in a card's groups.

    In programs a bare run of digits is a number, unless it is quoted or called a card.
    """
    if not has_digits(text):
        return
    for match in _DIGIT_GROUPS.finditer(text):
        start, end = match.span()
        if is_joined(text, start) or is_part_of_number(text, start, end):
            continue
        for card_start, card_end in cards_in(text, start, end):
            bare = text[card_start:card_end].isdecimal()
            if not (bare and programming) or is_called_card(text, card_start, card_end):
                yield card_start, card_end


def is_part_of_number(text: str, start: int, end: int) -> bool:
    """Whether a decimal point or a sign of arithmetic ties it to something before it or behind it."""
    before, behind = text[max(0, start - 2) : start], text[end : end + 2]
    pointed = len(before) > 1 and before[1] in ".," and before[0].isdecimal()
    return pointed or (len(behind) > 1 and behind[0] in ".," and behind[1].isdecimal()) or is_joined(text, end)


def is_called_card(text: str, start: int, end: int) -> bool:
    words = text[max(0, start - _WORDS_BEFORE) : start].lower()
    return is_quoted(text, start, end) or any(word in words for word in _CARD_WORDS)


def cards_in(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The runs of whole groups that make a card number; the first of those that overlap, the longest of its kind."""
    groups = groups_in(text, start, end)
    first = 0
    while first < len(groups):
        last = card_from(text, groups, first)
        if last is None:
            first += 1
        else:
            yield groups[first][0], groups[last][1]
            first = last + 1


def groups_in(text: str, start: int, end: int) -> list[tuple[int, int]]:
    groups = []
    at = start
    for group in text[start:end].replace("-", " ").split(" "):
        groups.append((at, at + len(group)))
        at += len(group) + 1
    return groups


def card_from(text: str, groups: list[tuple[int, int]], first: int) -> int | None:
    """The last group of the longest card number that begins with the group `first`."""
    sizes = [end - start for start, end in groups[first : first + MOST_GROUPS]]
    totals = list(accumulate(sizes))
    for count in range(len(sizes), 0, -1):
        if totals[count - 1] not in CARD_DIGITS or not is_shaped(sizes[:count]):
            continue
        digits = text[groups[first][0] : groups[first + count - 1][1]].replace("-", "").replace(" ", "")
        if is_card(digits):
            return first + count - 1
    return None


def is_shaped(sizes: list[int]) -> bool:
    """Whether digits are grouped as on a card (4-4-4-4, 4-6-5, 4-4-4-4-3, …), or not at all."""
    first, *middle = sizes
    return not middle or (first == FIRST_GROUP and all(size in GROUP_DIGITS for size in middle[:-1] or middle))


def is_card(digits: str) -> bool:
    """Whether it can be a card's number by its first digit and its check digit (Luhn, ISO/IEC 7812-1)."""
    if digits[0] not in CARD_STARTS or digits.endswith(ROUND):
        return False
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(int(digit) for digit in digits[::-2])) % 10 == 0


# Length of an IBAN by country, from the SWIFT registry of IBANs (ISO 13616).
IBAN_LENGTHS: Final = MappingProxyType(
    {
        country: length
        for length, countries in {
            15: "NO",
            16: "BE",
            18: "DK FI FK FO GL NL SD",
            19: "MK SI",
            20: "AT BA EE KZ LT LU MN XK",
            21: "CH HR LI LV",
            22: "BG BH CR DE GB GE IE ME RS VA",
            23: "AE GI IL IQ OM SO TL",
            24: "AD CZ ES MD PK RO SA SE SK TN VG",
            25: "LY PT ST",
            26: "IS TR",
            27: "BI DJ FR GR IT MC MR SM",
            28: "AL AZ BY CY DO GT HU LB NI PL SV",
            29: "BR EG PS QA UA",
            30: "JO KW MU YE",
            31: "MT SC",
            32: "LC",
            33: "RU",
        }.items()
        for country in countries.split()
    }
)
_IBAN_START: Final = compiled(r"[A-Za-z]{2}\d{2}[ -]?[A-Za-z\d]")
_IBAN_REMAINDER: Final = 97


def find_ibans(text: str, *, programming: bool) -> Iterator[tuple[int, int]]:  # noqa: ARG001 - the same in programs
    """Where IBANs are: of their country's length, in groups or not, with the check digits of ISO 7064 (mod 97-10)."""
    if not has_digits(text):
        return
    for match in _IBAN_START.finditer(text):
        start = match.start()
        if not is_joined(text, start) and (end := iban_end(text, start)) is not None:
            yield start, end


def iban_end(text: str, start: int) -> int | None:
    """Where the IBAN ends that may begin at `start`."""
    length = IBAN_LENGTHS.get(text[start : start + 2].upper())
    if length is None:
        return None
    taken, at = "", start
    while at < len(text) and len(taken) < length:
        if text[at].isascii() and text[at].isalnum():
            taken += text[at]
        elif text[at] not in " -" or text[at - 1] in " -":
            return None
        at += 1
    return at if len(taken) == length and not is_joined(text, at) and is_checked(taken) else None


def is_checked(iban: str) -> bool:
    turned = iban[4:] + iban[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % _IBAN_REMAINDER == 1
