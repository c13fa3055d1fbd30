"""Ids for questions that come from elsewhere: the same source gives the same ids, and they harm nobody.

An id holds letters, digits, `-`, `_`, and `.` between them: nothing that means something in an address, a path, a
shell or HTML, and no characters that look like nothing or turn the reading direction.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from pipeline.errors import InvalidInput
from pipeline.importing.item import Document, Found, Item, Left, Taken
from pipeline.scoring.bank import parse_question

MAX_SLUG_CHARS: Final = 80
_HASH_CHARS: Final = 10
_RESERVED: Final = frozenset({"import"})
_SHOWN_PROBLEMS: Final = 3


def named(found: Iterable[Found | Left]) -> Iterator[Item]:
    """Gives each question its id and checks it as the bank will; what does not pass is left.

    Two questions of one name are told apart by their content. The same question twice is taken once.
    """
    places: dict[str, str] = {}
    for item in found:
        if isinstance(item, Left):
            yield item
            continue
        question_id = _id_of(item)
        if question_id in places and not item.told_id:
            question_id = f"{question_id}.{_digest(item.fields)}"
        if question_id in places:
            yield Left(item.where, f"its id {question_id} is that of {places[question_id]} too")
            continue
        checked = _checked(item, question_id)
        if isinstance(checked, Taken):
            places[question_id] = item.where
        yield checked


def slug(text: str, limit: int = MAX_SLUG_CHARS) -> str:
    """The letters and digits of a text, in lower case, other characters as single hyphens; may be empty."""
    folded = unicodedata.normalize("NFKC", text[: 4 * limit]).lower()
    kept = "".join(character if character.isalnum() or character in "_." else " " for character in folded)
    return "-".join(kept.split())[:limit].strip("-._")


def _id_of(item: Found) -> str:
    """The id told; else category and name; else a digest of the question."""
    stem = slug(item.told_id)
    if stem and stem != item.told_id and item.told_id.lower() != stem:
        stem = f"{stem}.{_digest(item.told_id)}"  # "a/b" and "a b" are two ids
    elif not stem and slug(item.name):
        stem = ".".join(filter(None, (slug("-".join(item.category)), slug(item.name))))
    stem = stem or f"q-{_digest(item.fields)}"
    return f"q-{stem}" if stem in _RESERVED else stem


def _digest(value: object) -> str:
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()[:_HASH_CHARS]


def _checked(item: Found, question_id: str) -> Item:
    document: Document = {"id": question_id, **item.fields}
    try:
        parse_question(document)
    except InvalidInput as error:
        problems = [f"{problem.pointer} {problem.detail}".strip() for problem in error.problems[:_SHOWN_PROBLEMS]]
        return Left(item.where, "; ".join(problems))
    return Taken(item.where, document, tuple(dict.fromkeys(item.notes)))
