"""What the delivery contract needs beside the port: a way to fill the outbox, to move time, and to look inside."""

from typing import Protocol

import msgspec

from pipeline.ports import DeliveryStore


class Noted(msgspec.Struct, frozen=True):
    """One line of the ledger."""

    number: int
    status: int | None
    error: str | None


class DeliveryWorld(Protocol):
    """A store, with hands on what lies behind it."""

    @property
    def store(self) -> DeliveryStore:
        """The store under test."""
        ...

    async def add(self, *, url: str = "https://school.example/hook", endpoint: bool = True) -> str:
        """A new delivery, due now, to an endpoint of its own or to a callback URL; answers its id."""
        ...

    async def remove_endpoint(self, delivery_id: str) -> None:
        """Delete the endpoint behind a delivery."""
        ...

    async def pass_time(self, seconds: float) -> None:
        """Let so much time go by."""
        ...

    async def state(self, delivery_id: str) -> str:
        """The delivery's state."""
        ...

    async def ledger(self, delivery_id: str) -> list[Noted]:
        """The delivery's tries."""
        ...

    async def endpoint_enabled(self, delivery_id: str) -> bool:
        """Whether the endpoint behind a delivery still gets events."""
        ...
