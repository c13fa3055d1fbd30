"""What must not leave for a model, taken out of a text and put back: e-mail addresses, numbers of cards, accounts and
telephones, keys and passwords, and the learner's own name.

Pure and linear: searching is done by RE2 or bounded patterns. The same text without anything private is the same
object. Not found are addresses in words ("ada at example dot org"), names that nobody told us, and what is split over
lines; postal addresses and dates of birth are not looked for.
"""  # noqa: D205 - one sentence

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from pipeline.privacy.mail import find_addresses
from pipeline.privacy.name import find_names
from pipeline.privacy.payment import find_cards, find_ibans
from pipeline.privacy.phone import find_phones
from pipeline.privacy.placeholder import Kind, Place, places, replaced, written
from pipeline.privacy.secret import find_secrets
from pipeline.privacy.spelling import even

Find = Callable[..., Iterator[tuple[int, int]]]
FINDERS: Final[Mapping[Kind, Find]] = MappingProxyType(
    {
        Kind.SECRET: find_secrets,
        Kind.EMAIL: find_addresses,
        Kind.IBAN: find_ibans,
        Kind.CARD: find_cards,
        Kind.PHONE: find_phones,
    }
)
MARKUP: Final = ("<", ">", "[", "]", "`", "\\", "$", "://", "www.", "|", "{", "}")
_RANK: Final = MappingProxyType({kind: rank for rank, kind in enumerate(Kind)})


class Redacted(msgspec.Struct, frozen=True):
    """A text that may leave, and what its placeholders stand for; only the text shows when it is printed."""

    text: str
    originals: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Redacted({self.text!r}, {len(self.originals)} originals)"


class Span(msgspec.Struct, frozen=True):
    """A private part of a text."""

    start: int
    end: int
    kind: Kind


def redact(text: str, known_names: Sequence[str] = (), *, programming: bool) -> Redacted:
    """`text` with everything private in placeholders, numbered in order.

    With `programming`, code and numbers stay: what could be an expression is left alone unless it is quoted or called
    by its name. Placeholders that the text itself holds stand for nothing, and their numbers are not used.
    """
    [redacted], originals = redact_each([text], known_names, programming=programming)
    return Redacted(redacted, originals)


def redact_each(
    texts: Sequence[str], known_names: Sequence[str] = (), *, programming: bool
) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """Several texts of one prompt, as `redact` does it, under one numbering."""
    numbering = Numbering(place for text in texts for place in places(text))
    redacted = tuple(
        without(text, private_parts(text, known_names, programming=programming), numbering) for text in texts
    )
    return redacted, MappingProxyType(numbering.originals)


def restore(text: str, originals: Mapping[str, str]) -> str:
    """A model's `text` with the originals in the place of their placeholders, however it rewrote them."""
    return replaced(text, originals)


def showable(originals: Mapping[str, str]) -> Mapping[str, str]:
    """Those that may be put back into a text for people, whatever shows it.

    A learner chooses what is found: a password may be made of HTML, a display name of a link. Such originals stay
    out, and their placeholders are read instead; so do keys of many lines, which help nobody who reads feedback.
    """
    return MappingProxyType({name: original for name, original in originals.items() if is_harmless(original)})


def is_harmless(original: str) -> bool:
    """Whether it has nothing of a tag, a link, code or an address in it, and nothing unseen."""
    return original.isprintable() and not any(sign in original for sign in MARKUP)


class Numbering:
    """Hands out placeholders: the same for the same original, the next free number for a new one."""

    def __init__(self, taken: Iterator[Place]) -> None:
        self._taken = frozenset(taken)
        self._last = dict.fromkeys(Kind, 0)
        self._known: dict[tuple[Kind, str], str] = {}
        self.originals: dict[str, str] = {}

    def placeholder(self, kind: Kind, original: str) -> str:
        known = self._known.get((kind, original))
        if known is None:
            known = self._known[kind, original] = self._next(kind)
            self.originals[known] = original
        return known

    def _next(self, kind: Kind) -> str:
        self._last[kind] += 1
        while (kind, self._last[kind]) in self._taken:
            self._last[kind] += 1
        return written((kind, self._last[kind]))


def private_parts(text: str, known_names: Sequence[str], *, programming: bool) -> list[Span]:
    """The private parts in order; those that overlap are one, of the surest kind among them."""
    spelled = even(text)
    found = [Span(*span, kind) for kind, find in FINDERS.items() for span in find(spelled, programming=programming)]
    found += [Span(*span, Kind.NAME) for span in find_names(text, known_names, programming=programming)]
    parts: list[Span] = []
    for span in sorted(found, key=lambda span: span.start):
        if parts and span.start < parts[-1].end:
            parts[-1] = joined(parts[-1], span)
        else:
            parts.append(span)
    return parts


def joined(one: Span, other: Span) -> Span:
    return Span(one.start, max(one.end, other.end), min(one.kind, other.kind, key=_RANK.__getitem__))


def without(text: str, parts: Sequence[Span], numbering: Numbering) -> str:
    """The text with placeholders where its private parts were."""
    if not parts:
        return text
    pieces, at = list[str](), 0
    for part in parts:
        pieces += (text[at : part.start], numbering.placeholder(part.kind, text[part.start : part.end]))
        at = part.end
    return "".join((*pieces, text[at:]))
