"""Who uses an entry of a curriculum: what has to let go of it before it can be deleted."""

from typing import Final

from pipeline.curriculum.entry import Kind, entries_of
from pipeline.curriculum.model import Curriculum
from pipeline.curriculum.whole import REFERENCES, quoted

MOST_NAMED: Final = 10
"""Users that are named; of more their number is told."""


def users_of(curriculum: Curriculum, kind: Kind, entry_id: str) -> list[tuple[Kind, str]]:
    """The kind and id of every entry that names this one, in the order in which they are shown."""
    return [
        (user_kind, user.id)
        for user_kind, fields in REFERENCES.items()
        for user in entries_of(curriculum, user_kind).values()
        if any(entry_id in getattr(user, field) for field, named in fields.items() if named is kind)
    ]


def in_use(kind: Kind, entry_id: str, users: list[tuple[Kind, str]], aiming: int) -> str:
    """The sentence that names the users of an entry; `aiming` learners have it as their target."""
    named = [f"the {user_kind} {quoted(user)}" for user_kind, user in users[:MOST_NAMED]]
    if len(users) > MOST_NAMED:
        named.append(f"{len(users) - MOST_NAMED:,} more")
    if aiming:
        named.append("the goals of one learner" if aiming == 1 else f"the goals of {aiming:,} learners")
    return f"The {kind} {quoted(entry_id)} is used by {', '.join(named)}."
