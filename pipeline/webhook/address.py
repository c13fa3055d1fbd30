"""Asking DNS, and refusing what is not public."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from ipaddress import ip_address

from pipeline.delivery.destination import Address, is_public

Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]


class NameUnresolved(Exception):
    """DNS knows no address for the name."""


class AddressRefused(Exception):
    """The name leads, or also leads, to an address that webhooks may not go to. The address is not told."""


async def checked_addresses(host: str, port: int, resolve: Resolve, *, allow_private: bool) -> Sequence[Address]:
    """The addresses of a host, each of which may be connected to.

    One bad address among good ones refuses them all: an honest receiver has no reason to mix the two.
    """
    addresses = await resolve(host, port)
    if not addresses:
        raise NameUnresolved(host)
    if not allow_private and not all(map(is_public, addresses)):
        raise AddressRefused(host)
    return addresses


async def resolve_by_system(host: str, port: int) -> Sequence[Address]:
    """The addresses that this machine's resolver gives for a host, or for an address in any spelling.

    Every question has a thread of its own: the shared pool is small, and name servers that never answer
    would fill it.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Sequence[Address]] = loop.create_future()

    def ask() -> None:
        try:
            found = addresses_of(host, port)
        except OSError:
            found = ()
        with suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits any more
            loop.call_soon_threadsafe(give, found)

    def give(found: Sequence[Address]) -> None:
        if not answer.done():
            answer.set_result(found)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    return await answer


def addresses_of(host: str, port: int) -> Sequence[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return tuple(dict.fromkeys(ip_address(str(info[4][0])) for info in found))
