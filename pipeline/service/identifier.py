"""Ids in the form that we write them in."""

import hashlib
from uuid import UUID


def is_uuid(text: str) -> bool:
    """Whether this is an id in its one spelling, in large or small letters: a database reads others too."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def learner_hash(learner_id: str) -> str:
    """What is kept of an erased learner: enough to recognise an id one knows, not to read it back."""
    return hashlib.sha256(learner_id.encode()).hexdigest()
