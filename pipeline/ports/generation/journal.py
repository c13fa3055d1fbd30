"""Replies that are paid for once, and who is asking at the moment."""

from typing import Protocol, runtime_checkable

import msgspec


class Wanted(msgspec.Struct, frozen=True):
    """A reply that is wanted. `key` stands for everything that matters for it; nothing is shared between tenants."""

    tenant_id: int
    key: bytes
    submission_id: str


class Answered(msgspec.Struct, frozen=True):
    """The reply was paid for before.

    `text` is what the model wrote and we accepted; what was taken out of the prompt for privacy is still out of it.
    """

    text: str
    provider: str
    model: str
    prompt_version: str


class Yours(msgspec.Struct, frozen=True):
    """Nobody has asked yet, or whoever did is gone: it is yours to ask, and to answer or abandon under this token."""

    token: str


class Theirs(msgspec.Struct, frozen=True):
    """Somebody is asking just now."""


class Abandoned(msgspec.Struct, frozen=True):
    """Somebody asked a moment ago and got no usable reply; asking again at once would not help."""

    reason: str


Standing = Answered | Yours | Theirs | Abandoned


@runtime_checkable
class Journal(Protocol):
    """Replies that were paid for, kept before they are used; and who is asking at the moment."""

    async def begin(self, wanted: Wanted, *, lease_seconds: float, fresh_seconds: float) -> Standing:
        """Where a wanted reply stands.

        A reply is good for `fresh_seconds`, and for the submission that paid for it as long as it is kept. One who
        asks must be done or renew within `lease_seconds`, by Postgres' clock. Raises `Unavailable`.
        """
        ...

    async def renew(self, wanted: Wanted, token: str, *, lease_seconds: float) -> bool:
        """Go on asking; False where somebody else has taken over."""
        ...

    async def answer(self, wanted: Wanted, token: str, answered: Answered) -> None:
        """Keep a complete, valid, accepted reply, whoever holds the key by now; raises `Unavailable`."""
        ...

    async def abandon(self, wanted: Wanted, token: str, reason: str, *, quiet_seconds: float) -> None:
        """Say that no usable reply came; for `quiet_seconds` others are told so. Raises `Unavailable`."""
        ...

    async def forget(self, *, older_seconds: float, most: int) -> int:
        """Delete replies so old; answers how many."""
        ...
