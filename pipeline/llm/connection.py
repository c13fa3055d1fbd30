"""The HTTP under both SDKs: one client each, how long anything may take, and what a broken connection means.

Only modules that are loaded lazily import this one: it brings httpx2 along.
"""

from typing import Final

import httpx2

from pipeline.exchange import Failed, Trouble
from pipeline.llm.transport import AiohttpTransport

CONNECT_SECONDS: Final = 5.0
SILENT_SECONDS: Final = 60.0
"""A provider that says nothing for so long is not waited for, where a call has no deadline of its own."""
PLACEHOLDER: Final = "unused"
"""Stands for the key where an endpoint has none: the SDKs insist on one. It is never sent."""

NOT_SENT: Final = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)
"""The request did not reach anybody, so nobody bills it."""


def http_client(credential: tuple[str, str] | None) -> httpx2.AsyncClient:
    """A client that sends our headers only, with `credential` (header and value) among them, and follows no redirect.

    A redirect could carry a prompt to where it was not meant to go. How many requests are under way at once is seen to
    by leases, not here, and how long one takes by the deadline of its call.
    """
    return httpx2.AsyncClient(
        transport=AiohttpTransport(credential, httpx2.create_ssl_context()),
        timeout=httpx2.Timeout(SILENT_SECONDS, connect=CONNECT_SECONDS),
        follow_redirects=False,
        trust_env=False,  # what the environment says of proxies, the transport heeds
    )


def timeout_of(seconds: float) -> httpx2.Timeout:
    """How long connecting may take at most; all of a call is bounded by its own deadline, and each piece with it."""
    return httpx2.Timeout(None, connect=min(seconds, CONNECT_SECONDS))


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
