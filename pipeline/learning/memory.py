"""How long what was learnt of a topic stays: the state that spaced repetition keeps."""

from datetime import datetime

import msgspec


class Memory(msgspec.Struct, frozen=True):
    """A topic's memory as of its latest answer.

    `stability` is the days after which it is recalled with 90 % chance, `difficulty` 1 (easy) to 10; it should be
    reviewed at `due_at`.
    """

    stability: float
    difficulty: float
    due_at: datetime
