"""An answer that is ready to be sent. Litestar's own comes to the same bytes by a longer way."""

from typing import NamedTuple

from litestar.types import Receive, Scope, Send

from api.description import JSON


class PlainAnswer(NamedTuple):
    """A document in JSON with its status and headers, whose names are in small letters."""

    status: int
    headers: dict[str, str]
    document: bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Send it (called by the framework)."""
        headers = {"content-type": JSON, "content-length": str(len(self.document)), **self.headers}
        encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": encoded})
        await send({"type": "http.response.body", "body": self.document, "more_body": False})
