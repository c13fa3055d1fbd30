"""Numbers as learners write them: 3.1, 3,1, 1 234,5, 1.2e3, 6 x 10^23, 3/4, 3.1 kg, in any digits.

One text may be read more than one way (1,234 is 1234 in Boston and 1.234 in Berlin), and nothing in it
says which. So a text has readings, and an answer counts if any of them does.
"""

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from pipeline.model import JsonValue
from pipeline.scoring.text import fold, is_blank

FLOAT_SLACK: Final = Decimal("1e-12")
"""Relative slack for what clients compute in binary floats: 0.1 + 0.2 answers 0.3, and 1/3 what it is."""

MAX_NUMBER_CHARS: Final = 100
"""A longer text is no number."""

_SIGNS: Final = str.maketrans(
    {"\u2212": "-", "\u2013": "-", "\u2019": "'", "\u00d7": "x", "\u066b": ".", "\u066c": ",", "\u2044": "/"}
)
_RAISED: Final = re.compile("[\u2070\u00b9\u00b2\u00b3\u2074-\u2079\u207a\u207b]+")  # superscript digits and signs
_BARE_POWER: Final = re.compile(r"^([=≈~]? ?[+-]?) ?10 ?(?:\^|\*\*) ?(?=[+-]?[0-9])")
_NUMBER: Final = re.compile(
    r"[=≈~]? ?(?P<before>[$€£¥₩₹]?) ?(?P<sign>[+-]?) ?(?P<currency>[$€£¥₩₹]?) ?"
    r"(?P<body>[0-9]+(?:[.,' ][0-9]+)*[.,]?|[.,][0-9]+)"
    r"(?: ?/ ?(?P<divisor>[0-9]+))?"
    r"(?:[eE](?P<exponent>[+-]?[0-9]{1,3})| ?[xX*] ?10 ?(?:\^|\*\*) ?(?P<power>[+-]?[0-9]{1,3}))?"
    r" ?(?P<unit>(?:[^\W\d_]|[%‰°$€£¥₩₹/(]).*)?"
)
# A digit is part of a unit only where it is an exponent: m2, m/s^2, s^-1.
_SECOND_NUMBER: Final = re.compile(r"(?<![^\W\d_])(?<!\^)(?<!\^-)(?<![^\W\d_]-)[0-9]")
_SINGLE_KIND: Final = 1
_PREFIXES_BY_CASE: Final = frozenset("mpyz")
"""Letters that as SI prefixes mean one thing small and another big: milli and mega, pico and peta …"""


class Reading(msgspec.Struct, frozen=True):
    """One way to read a text: a finite number and the unit written with it ("" for none)."""

    value: Decimal
    unit: str


def matches(key: Mapping[str, JsonValue], response: JsonValue) -> bool:
    """Whether a numeric response is within the key's tolerance in any of its readings, borders included.

    Decimal arithmetic, so 3.13 is within 0.01 of 3.14 though binary floats deny it. A unit, where the
    key has one, may be left out but must not be another; no units are converted.
    """
    return any(_within(key, reading.value) and _unit_fits(key, reading.unit) for reading in readings(response))


def readings(response: JsonValue) -> tuple[Reading, ...]:
    """All readings of a JSON number or text; none where it is no number."""
    if isinstance(response, bool):
        return ()
    if isinstance(response, int | float):
        value = _finite(response)
        return () if value is None else (Reading(value, ""),)
    if not isinstance(response, str) or len(response) > MAX_NUMBER_CHARS or is_blank(response):
        return ()
    return tuple(_readings_of_text(_plain_digits(fold(_raised_as_caret(response), keep_case=True))))


def _plain_digits(text: str) -> str:
    """`text` with the decimal digits of every script as 0-9 and typographic signs as their plain forms."""
    plain = "".join(str(unicodedata.decimal(char, char)) for char in text)
    return _BARE_POWER.sub(r"\g<1>1x10^", plain.translate(_SIGNS))


def _raised_as_caret(text: str) -> str:
    """`text` with 10⁶ as 10^6: NFKC alone would make it 106."""
    return _RAISED.sub(lambda raised: "^" + unicodedata.normalize("NFKC", raised.group()), text)


def _readings_of_text(text: str) -> Iterator[Reading]:
    match = _NUMBER.fullmatch(text)
    if match is None or _SECOND_NUMBER.search(match["unit"] or ""):
        return
    unit = match["unit"] or match["before"] or match["currency"]
    for digits in dict.fromkeys(_plain_forms(match["body"])):
        value = _scaled(match["sign"] + digits, match["divisor"], match["exponent"] or match["power"] or "0")
        if value is not None:
            yield Reading(value, unit)
            if unit == "%":
                yield Reading(value / 100, "")


def _scaled(digits: str, divisor: str | None, exponent: str) -> Decimal | None:
    value = Decimal(digits)
    if divisor is not None:
        if not int(divisor):
            return None
        value /= int(divisor)
    return _finite(value.scaleb(int(exponent)))


def _finite(number: float | Decimal) -> Decimal | None:
    """`number` as an exact decimal, or None where it is beyond what a float can hold."""
    try:
        fits = math.isfinite(float(number))
    except OverflowError:
        return None
    if not fits:
        return None
    return number if isinstance(number, Decimal) else Decimal(str(number))


def _plain_forms(body: str) -> Iterator[str]:
    """`body` without grouping and with a decimal point, in each way its separators allow."""
    body = body.rstrip(".,") or body
    separators = [char for char in body if not char.isdigit()]
    if not separators:
        yield body
        return
    last = separators[-1]
    whole, _, part = body.rpartition(last)
    if last in ".," and separators.count(last) == 1 and (not separators[:-1] or _is_grouped(whole)):
        yield f"{_ungrouped(whole) or '0'}.{part}"
    if _is_grouped(body):
        yield _ungrouped(body)


def _is_grouped(body: str) -> bool:
    """Whether `body` is digits in groups: 1,234,567 by threes, or 12,34,567 as in India."""
    if len({char for char in body if not char.isdigit()}) != _SINGLE_KIND:
        return False
    return re.fullmatch(r"[1-9][0-9]{0,2}(?:[.,' ][0-9]{3})+|[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}", body) is not None


def _ungrouped(body: str) -> str:
    return re.sub(r"[.,' ]", "", body)


def _within(key: Mapping[str, JsonValue], value: Decimal) -> bool:
    target = Decimal(str(key["value"]))
    if key.get("relative_tolerance") is not None:
        allowed = abs(target) * Decimal(str(key["relative_tolerance"]))
    else:
        allowed = Decimal(str(key.get("tolerance") or 0))
    return abs(value - target) <= allowed + abs(target) * FLOAT_SLACK


def _unit_fits(key: Mapping[str, JsonValue], written: str) -> bool:
    wanted = key.get("unit")
    return not wanted or not written or same_unit(wanted, written)


def same_unit(wanted: str, written: str) -> bool:
    """Whether two units are the same but for blanks and harmless case: KG is kg, but MW is not mW."""
    wanted, written = _plain_unit(wanted), _plain_unit(written).removesuffix(".")
    if wanted.casefold() != written.casefold():
        return False
    by_case = len(wanted) > 1 and wanted[0].casefold() in _PREFIXES_BY_CASE
    return not by_case or wanted[0] == written[0]


def _plain_unit(unit: str) -> str:
    return fold(_raised_as_caret(unit), keep_case=True).translate(_SIGNS).replace(" ", "").replace("^", "")
