"""The HTTP under both SDKs: what leaves, how long anything may take, and what a broken connection means.

Only modules that are loaded lazily import this one: it brings httpx2 along.
"""

from itertools import cycle
from typing import Any, Final

import httpx2

from pipeline.exchange import Failed, Trouble

CONNECT_SECONDS: Final = 5.0
POOL_CONNECTIONS: Final = 16
"""A pool looks at all its connections whenever a request comes or ends: one of 200 is slow, ten of 20 are not."""
KEPT_SECONDS: Final = 60.0
PLACEHOLDER: Final = "unused"
"""Stands for the key where an endpoint has none: the SDKs insist on one. It is never sent."""

SENT_HEADERS: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "anthropic-version",
        "connection",
        "content-length",
        "content-type",
        "host",
        "idempotency-key",
        "transfer-encoding",
        "user-agent",
    }
)
"""All that leaves beside the key. The SDKs would add what the environment holds (OPENAI_ORG_ID, …_CUSTOM_HEADERS)
and what machine this is, whoever the receiver."""

NOT_SENT: Final = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)
"""The request did not reach anybody, so nobody bills it."""


class SpreadClient(httpx2.AsyncClient):
    """A client whose requests take turns among several pools of connections."""

    def __init__(self, pools: int, **options: Any) -> None:
        verify = httpx2.create_ssl_context()
        super().__init__(verify=verify, **options)
        self._others = [httpx2.AsyncClient(verify=verify, **options) for _ in range(pools - 1)]
        self._turns = cycle([super().send, *[other.send for other in self._others]])

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send it by the pool whose turn it is."""
        return await next(self._turns)(request, **options)

    async def aclose(self) -> None:
        """Close all pools."""
        for other in self._others:
            await other.aclose()
        await super().aclose()


def http_client(credential: tuple[str, str] | None, concurrency: int = 1) -> httpx2.AsyncClient:
    """A client that sends our headers only, with `credential` (header and value) among them, and follows no redirect.

    A redirect could carry a prompt to where it was not meant to go. `concurrency` is how many requests to expect at
    once; that they are no more is seen to by leases, not here, and how long one takes by the deadline of its call.
    """

    async def seal(request: httpx2.Request) -> None:
        for name in [name for name in request.headers if name not in SENT_HEADERS]:
            del request.headers[name]
        if credential is not None:
            request.headers[credential[0]] = credential[1]

    return SpreadClient(
        -(-concurrency // POOL_CONNECTIONS),
        event_hooks={"request": [seal]},
        timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS),
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=KEPT_SECONDS),
        follow_redirects=False,
    )


def timeout_of(seconds: float) -> httpx2.Timeout:
    """Bounds for one request, none of them beyond what the call may take in all."""
    return httpx2.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))


def broken(error: BaseException) -> Failed:
    """What a connection's failure means: nobody reached, too slow, or cut while the answer was due."""
    kind = type(error).__name__
    if isinstance(error, NOT_SENT):
        return Failed(Trouble.UNREACHABLE, kind)
    if isinstance(error, httpx2.TimeoutException):
        return Failed(Trouble.TIMED_OUT, kind)
    if isinstance(error, httpx2.DecodingError):
        return Failed(Trouble.UNREADABLE, kind)
    if isinstance(error, httpx2.UnsupportedProtocol | httpx2.InvalidURL):
        return Failed(Trouble.BAD_REQUEST, kind)
    return Failed(Trouble.CUT_OFF, kind)
