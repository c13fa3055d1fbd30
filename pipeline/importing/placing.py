"""Where a question belongs: categories, tags and difficulty of other systems as module, topics and level."""

from collections.abc import Iterable, Sequence
from typing import Final

from pipeline.importing.item import Document
from pipeline.scoring.bank import MAX_LABEL_CHARS, MAX_LABELS

_ROOTS: Final = frozenset({"$course$", "$system$", "$module$", "$cat1$", "top"})
_LEVELS: Final = {
    "1": 1, "2": 2, "3": 3, "4": 4, "5": 5,
    "very easy": 1, "easy": 2, "medium": 3, "difficult": 4, "hard": 4, "very difficult": 5, "very hard": 5,
}  # fmt: skip
_DIFFICULTY: Final = "difficulty"


def category_parts(path: str) -> tuple[str, ...]:
    """The parts of a category's path, without the roots that Moodle puts before it."""
    parts = [part.replace("\0", "/").strip() for part in path.replace("//", "\0").split("/")]
    return tuple(part for part in parts if part and part.lower() not in _ROOTS)


def placed(fields: Document, category: Sequence[str], tags: Iterable[str], notes: list[str]) -> Document:
    """With `module`, `topics` and `difficulty` as far as they are told, and without empty fields.

    Tags are topics; without tags the last part of the category is. A tag like `difficulty:4` is the level.
    """
    topics: list[str] = []
    for tag in tags:
        name, _, value = tag.replace("=", ":", 1).partition(":")
        level = level_of(value) if name.strip().lower() == _DIFFICULTY else None
        if level is None:
            topics.append(tag)
        else:
            fields = {**fields, "difficulty": level}
    topics = _fitting(topics or category[-1:], notes)
    module = _fitting(["/".join(category)], notes)
    fields = {**fields, "topics": topics, "module": module[0] if module else ""}
    end = fields.pop("prompt_end", "")
    if end:
        fields["prompt"] = f"{fields['prompt']}\n\n{end}"
    return {name: value for name, value in fields.items() if value not in ("", [], None)}


def level_of(text: str) -> int | None:
    """A level from 1 to 5 by number or by the words of the metadata standard (IEEE LOM)."""
    return _LEVELS.get(" ".join(text.lower().split()))


def _fitting(labels: Iterable[str], notes: list[str]) -> list[str]:
    stripped = list(dict.fromkeys(label.strip() for label in labels if label.strip()))
    fitting = [label for label in stripped if len(label) <= MAX_LABEL_CHARS][:MAX_LABELS]
    if len(fitting) < len(stripped):
        notes.append("tags or categories that are too long or too many were not taken")
    return fitting
