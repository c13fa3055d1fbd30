"""An HTTP transport that connects to the very addresses that were checked."""

from typing import Final

import httpx

from pipeline.delivery.destination import Address
from pipeline.webhook.address import Resolve, checked_addresses

ADDRESSES_TRIED: Final = 3


class GuardedTransport(httpx.AsyncBaseTransport):
    """Resolves each request's host once, checks what came of it, and connects to that.

    Nothing asks DNS again after the check, so a name that changes its mind in between changes nothing. The
    name still goes into the Host header, the TLS handshake and the check of the certificate. Connections
    are not kept: each request is checked anew.
    """

    def __init__(self, *, resolve: Resolve, allow_private: bool, inner: httpx.AsyncBaseTransport | None = None) -> None:
        self._resolve = resolve
        self._allow_private = allow_private
        self._inner = inner or httpx.AsyncHTTPTransport(
            trust_env=False, retries=0, limits=httpx.Limits(max_connections=None, max_keepalive_connections=0)
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it to the first checked address that can be connected to."""
        host, port = request.url.host, request.url.port or {"http": 80, "https": 443}[request.url.scheme]
        addresses = await checked_addresses(host, port, self._resolve, allow_private=self._allow_private)
        *others, last = addresses[:ADDRESSES_TRIED]
        for address in others:
            try:
                return await self._inner.handle_async_request(pinned(request, address))
            except httpx.ConnectError:
                continue  # nothing was sent yet; the next one may be reachable
        return await self._inner.handle_async_request(pinned(request, last))

    async def aclose(self) -> None:
        await self._inner.aclose()


def pinned(request: httpx.Request, address: Address) -> httpx.Request:
    """The same request, to be sent to this address under the name it was made for."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.host},
    )
