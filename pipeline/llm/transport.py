"""How the SDKs' requests travel: by aiohttp, which both SDKs have as an extra way beside their usual one.

Its parser and its pool are made for many connections: what it costs to send and to read does not grow with the number
of requests under way, nor with the number of pieces that a reply comes in.
"""

import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from ssl import SSLContext
from typing import Final

import aiohttp
import httpx2
from yarl import URL

from pipeline.llm.proxy import proxy_for

SENT_HEADERS: Final = frozenset(
    {
        b"accept",
        b"accept-encoding",
        b"anthropic-version",
        b"connection",
        b"content-length",
        b"content-type",
        b"host",
        b"idempotency-key",
        b"user-agent",
    }
)
"""All that leaves beside the key. The SDKs would add what the environment holds (OPENAI_ORG_ID, …_CUSTOM_HEADERS)
and what machine this is, whoever the receiver."""
KEPT_SECONDS: Final = 60.0
LOWEST_ERROR: Final = 400
MOST_ERROR_BYTES: Final = 1 << 16
MOST_PACKED_ERROR_BYTES: Final = 1 << 13
"""So much of an error is read, however long it is: the SDKs take it whole, and it is told by its first words."""
PACKED_BYTES: Final = 1 << 9
"""What comes packed is unpacked so little at a time, that whoever counts what comes out can stop it in time."""
PROXY: Final = (aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError)


class AiohttpTransport(httpx2.AsyncBaseTransport):
    """Sends what an SDK's client has built, with our headers only, and `credential` (name and value) among them."""

    def __init__(self, credential: tuple[str, str] | None, verify: SSLContext) -> None:
        self._credential = credential
        self._verify = verify
        self._session: aiohttp.ClientSession | None = None
        self._proxies: dict[tuple[str, str], str | None] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer, its body yet to be read; raises errors of httpx2's, as SDKs expect them."""
        with translated():
            answer = await self._open_session().request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=self._headers(request),
                data=await request.aread() or None,
                allow_redirects=False,
                timeout=timeout_of(request.extensions.get("timeout", {})),
                proxy=self._proxy(request.url),
            )
        return httpx2.Response(
            answer.status,
            headers=list(answer.raw_headers),
            stream=Body(answer),
            request=request,
            extensions={"http_version": b"HTTP/1.1"},
        )

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    def _open_session(self) -> aiohttp.ClientSession:
        """The one session; it belongs to the loop that sends the first request. It keeps no cookies."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, ssl=self._verify, keepalive_timeout=KEPT_SECONDS)
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            )
        return self._session

    def _headers(self, request: httpx2.Request) -> list[tuple[str, str]]:
        sent = [(n.decode("ascii"), v.decode("latin-1")) for n, v in request.headers.raw if n.lower() in SENT_HEADERS]
        return sent if self._credential is None else [*sent, self._credential]

    def _proxy(self, url: httpx2.URL) -> str | None:
        """The proxy that the environment names for this address, asked once."""
        place = (url.scheme, url.host)
        if place not in self._proxies:
            self._proxies[place] = proxy_for(*place)
        return self._proxies[place]


class Body(httpx2.AsyncByteStream):
    """An answer's body as it comes: whatever has arrived is one piece, unless it is packed; of errors the beginning."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        packed = "content-encoding" in self._answer.headers
        left = most_bytes(self._answer.status, packed=packed)
        with translated():
            async for piece in self._answer.content.iter_any():
                for part in portions(piece[:left]) if packed else (piece[:left],):
                    yield part
                left -= len(piece)
                if left <= 0:
                    return

    async def aclose(self) -> None:
        """Give the connection back, or close it where not all was read."""
        self._answer.release()


def most_bytes(status: int, *, packed: bool) -> int:
    """How much of a body is read; of one that is no error, as much as its reader takes."""
    if status < LOWEST_ERROR:
        return sys.maxsize
    return MOST_PACKED_ERROR_BYTES if packed else MOST_ERROR_BYTES


def portions(piece: bytes) -> Iterator[bytes]:
    """The same bytes, a few at a time."""
    return (piece[at : at + PACKED_BYTES] for at in range(0, len(piece), PACKED_BYTES))


def timeout_of(seconds: Mapping[str, float | None]) -> aiohttp.ClientTimeout:
    """The same bounds in aiohttp's words."""
    return aiohttp.ClientTimeout(total=None, sock_connect=seconds.get("connect"), sock_read=seconds.get("read"))


@contextmanager
def translated() -> Iterator[None]:
    """Errors of aiohttp as those of httpx2 that mean the same.

    What matters is whether a request can have reached somebody: a connection that was not made is told apart from one
    that broke.
    """
    try:
        yield
    except PROXY as error:
        raise httpx2.ProxyError(type(error).__name__) from error
    except aiohttp.ClientConnectorError as error:
        raise httpx2.ConnectError(type(error).__name__) from error
    except aiohttp.ConnectionTimeoutError as error:
        raise httpx2.ConnectTimeout(type(error).__name__) from error
    except aiohttp.ServerTimeoutError as error:
        raise httpx2.ReadTimeout(type(error).__name__) from error
    except aiohttp.InvalidURL as error:
        raise httpx2.UnsupportedProtocol(type(error).__name__) from error
    except (aiohttp.ClientError, ConnectionError) as error:
        raise httpx2.ReadError(type(error).__name__) from error
