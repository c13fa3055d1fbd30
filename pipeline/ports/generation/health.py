"""How providers do, and who may ask them just now: breakers, rests and places."""

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

import msgspec

from pipeline.exchange import Route, Trouble


class Admitted(msgspec.Struct, frozen=True):
    """A request may be sent: the lease holds its place among those under way; `probe` means it tests a sick account."""

    lease: str
    probe: bool = False


class Held(msgspec.Struct, frozen=True):
    """No request now: the breaker is open, the account rests after a rate limit, or all places are taken.

    It may be asked for again in `seconds`, as far as is known.
    """

    reason: Literal["open", "cooling", "full"]
    seconds: float


class ProviderHealth(msgspec.Struct, frozen=True):
    """How an account does at this moment; `calls` and `failures` are those of the breaker's window."""

    account: str
    breaker: Literal["closed", "open", "half_open"]
    calls: int
    failures: int
    under_way: int
    opens_again_in_seconds: float | None = None
    cooling_seconds: float | None = None


@runtime_checkable
class Health(Protocol):
    """How the providers do, shared by all workers; where Redis is away, as far as this process knows."""

    async def admit(self, route: Route) -> Admitted | Held:
        """A place for one request, if its account is healthy and rested, and neither it nor all at the limit."""
        ...

    async def renew(self, route: Route, admitted: Admitted) -> None:
        """Keep the place of a request that takes its time."""
        ...

    async def renew_all(self, held: Sequence[tuple[Route, Admitted]]) -> None:
        """Keep the places of several at once."""
        ...

    async def release(
        self, route: Route, admitted: Admitted, trouble: Trouble | None, *, rest_seconds: float | None = None
    ) -> None:
        """Give the place back and say how it went, once; after a rate limit, how long everyone shall rest."""
        ...

    async def withdraw(self, route: Route, admitted: Admitted) -> None:
        """Give the place back of a request that tells nothing of its account: not sent, or broken off by us."""
        ...

    async def look(self, routes: Sequence[Route]) -> list[ProviderHealth]:
        """How these accounts do; raises `Unavailable`."""
        ...
