"""Keys of providers: carried around without showing, and told apart without being told."""

import hashlib
from typing import Final, NoReturn

import msgspec

from pipeline.exchange import Route

ACCOUNT_BYTES: Final = 8


class Secret:
    """A text that no log, no error and no encoder shows by accident; `reveal` gives it to whoever must send it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, _: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not to be stored")


class Credential(msgspec.Struct, frozen=True):
    """Where a provider is asked, and with which key; None where an endpoint of the house wants none."""

    base_url: str
    api_key: Secret | None

    @property
    def account(self) -> str:
        """Stands for both without giving them away: the same in every process that has the same address and key."""
        key = self.api_key.reveal() if self.api_key else ""
        digest = hashlib.blake2b(msgspec.json.encode([self.base_url.rstrip("/"), key]), digest_size=ACCOUNT_BYTES)
        return digest.hexdigest()


class Access(msgspec.Struct, frozen=True):
    """A route together with what opens it."""

    route: Route
    credential: Credential
