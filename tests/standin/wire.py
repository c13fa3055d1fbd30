"""What all wires have in common: what was asked, what was written, and how each tells it."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import msgspec

from tests.standin.calls import Tokens

EVENT_STREAM = {"content-type": "text/event-stream"}


class Asked(msgspec.Struct, frozen=True):
    """A request, whatever its wire."""

    model: str
    system: str
    user: str
    rest: str
    schema: Mapping[str, Any]
    streamed: bool
    with_usage: bool
    person: str | None


class Written(msgspec.Struct, frozen=True):
    """A reply: `finish` is `stop`, `length`, `content_filter`, `refusal`, or None where it doesn't end."""

    text: str
    tokens: Tokens
    model: str
    finish: str | None = "stop"


class Trouble(msgspec.Struct, frozen=True):
    """An error, in the words of a wire."""

    status: int
    body: Any


class Wire(Protocol):
    """How a provider speaks."""

    name: str
    key_header: str
    request_id_header: str

    def asked(self, body: Any) -> Asked:
        """What a request wants; raises KeyError or TypeError where it is none."""
        ...

    def whole(self, written: Written, request_id: str) -> Any:
        """The body of a reply in one piece."""
        ...

    def begin(self, written: Written, request_id: str) -> Iterator[bytes]:
        """The events before the first text."""
        ...

    def piece(self, written: Written, text: str, request_id: str) -> bytes:
        """The event of a piece of text."""
        ...

    def end(self, written: Written, request_id: str, *, usage: bool) -> Iterator[bytes]:
        """The events after the last text."""
        ...

    def error(self, fault: str) -> Trouble:
        """How this provider words a fault."""
        ...

    def error_event(self) -> bytes:
        """An error inside a stream."""
        ...


def event(data: Any, name: str | None = None) -> bytes:
    """A server-sent event."""
    encoded = data if isinstance(data, bytes) else msgspec.json.encode(data)
    return (f"event: {name}\n".encode() if name else b"") + b"data: " + encoded + b"\n\n"


def text_of(content: Any) -> str:
    """The text of a message's content, which may come in parts."""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content or [])
