"""In which ways an answer can be wrong, as far as rules can tell."""

from enum import StrEnum


class Mistake(StrEnum):
    """The kind of an error. What is stored depends on the order: new ones go to the end, none is ever taken out."""

    UNANSWERED = "unanswered"
    RUSHED = "rushed"
    """Wrong and faster than the question can be read."""
    MISCONCEPTION = "misconception"
    """Wrong, though the learner was sure."""
    SLIP = "slip"
    """Wrong, though the learner knows such questions well."""
    INCOMPLETE = "incomplete"
    """Right in part."""
    GAP = "gap"
    """Wrong, and not known yet."""
