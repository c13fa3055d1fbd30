"""One route to a language model."""

from collections.abc import Awaitable, Callable
from typing import Protocol, runtime_checkable

from pipeline.exchange import Prompt, Reply, Route

Tell = Callable[[str], Awaitable[None]]
"""Takes the raw text of a reply piece by piece while the model writes it."""


@runtime_checkable
class Provider(Protocol):
    """One route to a model."""

    @property
    def route(self) -> Route:
        """Which one."""
        ...

    async def send(self, prompt: Prompt, *, user: str, key: str, seconds: float, tell: Tell | None = None) -> Reply:
        """Ask once, without any retry, in at most `seconds`; whatever goes wrong is a reply too.

        `user` is the learner as a hash. `key` names the request to providers that know idempotency keys. With `tell`
        the reply is streamed, and whole at the end all the same.
        """
        ...

    async def close(self) -> None:
        """Ask nothing more."""
        ...
