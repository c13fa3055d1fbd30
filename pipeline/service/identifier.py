"""Ids in the form that we write them in."""

from uuid import UUID


def is_uuid(text: str) -> bool:
    """Whether this is an id in its one spelling, in large or small letters: a database reads others too."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
