"""One webhook as one HTTP request, after the Standard Webhooks specification."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import httpx
from standardwebhooks import Webhook

from pipeline.delivery.destination import url_problems
from pipeline.delivery.reply import Answered, Failed, Message, Refused, Reply
from pipeline.webhook.address import AddressRefused, NameUnresolved, Resolve, resolve_by_system
from pipeline.webhook.transport import GuardedTransport

MAX_RESPONSE_BYTES: Final = 65_536
BODY_SECONDS: Final = 1.0
WRONG_URL: Final = "the URL is not one that webhooks may be sent to"


def now_utc() -> datetime:
    return datetime.now(UTC)


class WebhookSender:
    """HTTP as the port `pipeline.ports.Sender`.

    A request may take `timeout_seconds` from the question to DNS to the head of the answer, and a moment more
    for its body. Redirects are answers like any other and not followed. There is no client between us and
    the transport: nothing of one receiver (cookies, connections) is there when the next is sent to, and no
    proxy or other setting of the environment is used.
    """

    def __init__(
        self,
        *,
        timeout_seconds: float,
        allow_private: bool,
        resolve: Resolve = resolve_by_system,
        now: Callable[[], datetime] = now_utc,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._allow_private = allow_private
        self._now = now
        self._transport = GuardedTransport(resolve=resolve, allow_private=allow_private)

    async def send(self, message: Message) -> Reply:
        """Sign and send it, in bounded time; whatever goes wrong is a reply too."""
        try:
            if any(url_problems(message.url, allow_private=self._allow_private)):
                return Refused(WRONG_URL)
            return await self._request(message)
        except httpx.InvalidURL:
            return Refused(WRONG_URL)
        except AddressRefused:
            return Refused("the host is not on the public internet")
        except (TimeoutError, NameUnresolved, httpx.TransportError) as error:
            return Failed(self._told(error))

    async def close(self) -> None:
        """Close what is open."""
        await self._transport.aclose()

    def _told(self, error: Exception) -> str:
        """What went wrong, for the ledger: the kind of failure, not its text, which may tell of our network."""
        match error:
            case TimeoutError():
                return f"no answer within {self._timeout_seconds:g} seconds"
            case NameUnresolved():
                return "the host name has no address"
            case httpx.ConnectError():
                return "the connection failed"
            case _:
                return f"the connection broke ({type(error).__name__})"

    async def _request(self, message: Message) -> Answered:
        request = httpx.Request(
            "POST", message.url, content=message.payload.encode(), headers=headers_of(message, self._now())
        )
        async with asyncio.timeout(self._timeout_seconds):
            response = await self._transport.handle_async_request(request)
        try:
            await read_away(response)
            return Answered(response.status_code, retry_after_of(response))
        finally:
            await response.aclose()


def headers_of(message: Message, now: datetime) -> dict[str, str]:
    """The headers of one try: the id of all tries, the time and signature of this one."""
    return {
        "content-type": "application/json",
        "user-agent": "Gradeline-Webhook",
        "accept-encoding": "identity",
        "webhook-id": message.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(message.secret).sign(message.id, now, message.payload),
    }


def retry_after_of(response: httpx.Response) -> float | None:
    """Seconds of a Retry-After header; its form as a date is left alone."""
    value = response.headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdecimal() and len(value) <= 6 else None  # noqa: PLR2004 - digits


async def read_away(response: httpx.Response) -> None:
    """Let the receiver finish what it says, within limits; the status has told all there is to know."""
    room = MAX_RESPONSE_BYTES
    with suppress(TimeoutError, httpx.TransportError):
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in response.aiter_raw():
                room -= len(chunk)
                if room <= 0:
                    return
