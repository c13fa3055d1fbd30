"""E-mail addresses in a text."""

import re
from collections.abc import Iterator
from typing import Final

# Local part and domain may be in any Latin letters; in others only under top domains of their script, since without
# blanks between words an address would swallow the sentence before it.
_LATIN: Final = "A-Za-z0-9\u00c0-\u024f"
_LOCAL: Final = re.compile(rf"[{_LATIN}._%+-]{{1,64}}\Z|\"[^\"\n]{{1,62}}\"\Z")
_DOMAIN: Final = re.compile(rf"(?:[{_LATIN}-]{{1,63}}\.){{1,8}}(?:xn--[A-Za-z0-9-]{{2,59}}|[A-Za-z]{{2,24}})")
_FOREIGN_LOCAL: Final = re.compile(r"[\w.+-]{1,64}\Z")
_FOREIGN_DOMAIN: Final = re.compile(
    r"(?:[\w-]{1,63}\.){1,8}(?:中国|中國|公司|网络|网址|网店|香港|台灣|台湾|みんな|コム|セール|企業|한국|닷컴|닷넷|рф|рус|москва|укр)"
)
_LONGEST_LOCAL: Final = 64
_NOT_FIRST: Final = ".%+-"

# What a program may say after `@`: `weights@layer.sum()` is a matrix product. Only these ends count there.
_TOP_WORDS: Final = (
    "com net org edu gov mil int info biz name pro dev app xyz online site tech cloud academy school university "
    "education institute email mail live example invalid test local internal"
)
_TOPS: Final = frozenset(_TOP_WORDS.split())
_COUNTRY_CHARS: Final = 2


def find_addresses(text: str, *, programming: bool) -> Iterator[tuple[int, int]]:
    """Where e-mail addresses are; in programs, only those that can't well be an expression."""
    at = text.find("@")
    while at >= 0:
        span = address_around(text, at)
        if span is not None and not (programming and is_expression(text, *span)):
            yield span
        at = text.find("@", at + 1)


def address_around(text: str, at: int) -> tuple[int, int] | None:
    """The address whose @ is `at`."""
    before = text[max(0, at - _LONGEST_LOCAL) : at]
    for local, domain in ((_LOCAL, _DOMAIN), (_FOREIGN_LOCAL, _FOREIGN_DOMAIN)):
        behind = domain.match(text, at + 1)
        name = local.search(before) if behind else None
        if behind and name and (kept := name[0].lstrip(_NOT_FIRST)):
            return at - len(kept), behind.end()
    return None


def is_expression(text: str, start: int, end: int) -> bool:
    """Whether it is rather a matrix product, a decorator or a repository than somebody's address."""
    address = text[start:end]
    top = address.rpartition(".")[2]
    if text[end : end + 1] in {"(", "["} or address.startswith("git@"):
        return True
    return top.lower() not in _TOPS and (len(top) != _COUNTRY_CHARS or not (top.islower() or address.isupper()))
