"""Requests go to the addresses that were checked, and to no other."""

import asyncio
from collections.abc import Sequence
from ipaddress import ip_address

import httpx
import pytest

from pipeline.delivery.destination import Address
from pipeline.webhook.address import AddressRefused, NameUnresolved, Resolve, checked_addresses, resolve_by_system
from pipeline.webhook.transport import GuardedTransport


class Names:
    """A resolver that gives its answers one after another, the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        self.asked.append((host, port))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return tuple(map(ip_address, answer))


class Network(httpx.AsyncBaseTransport):
    """Notes what is connected to; addresses in `closed` can't be."""

    def __init__(self, *closed: str) -> None:
        self.closed = closed
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.host in self.closed:
            raise httpx.ConnectError("closed")
        return httpx.Response(204)

    @property
    def hosts(self) -> list[str]:
        return [request.url.host for request in self.requests]


async def post(url: str, resolve: Resolve, network: Network, *, allow_private: bool = False) -> httpx.Response:
    transport = GuardedTransport(resolve=resolve, allow_private=allow_private, inner=network)
    return await transport.handle_async_request(httpx.Request("POST", url, content=b"{}"))


async def test_the_address_is_connected_to_under_the_name() -> None:
    network, names = Network(), Names(["93.184.216.34"])
    await post("https://school.example:8443/hook?a=b", names, network)
    (request,) = network.requests
    assert str(request.url) == "https://93.184.216.34:8443/hook?a=b"
    assert request.headers["host"] == "school.example:8443"
    assert request.extensions["sni_hostname"] == "school.example"
    assert names.asked == [("school.example", 8443)]


async def test_a_name_that_changes_its_mind_after_the_check_changes_nothing() -> None:
    network, names = Network(), Names(["93.184.216.34"], ["127.0.0.1"])
    await post("http://rebinding.example/", names, network)
    assert network.hosts == ["93.184.216.34"]
    assert len(names.asked) == 1


async def test_every_request_is_checked_anew() -> None:
    network, names = Network(), Names(["93.184.216.34"], ["127.0.0.1"])
    transport = GuardedTransport(resolve=names, allow_private=False, inner=network)
    await transport.handle_async_request(httpx.Request("POST", "http://rebinding.example/"))
    with pytest.raises(AddressRefused):
        await transport.handle_async_request(httpx.Request("POST", "http://rebinding.example/"))
    assert network.hosts == ["93.184.216.34"]


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.7"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:10.0.0.7"],
        ["64:ff9b::a00:7"],
        ["93.184.216.34", "127.0.0.1"],
        ["2606:4700:4700::1111", "fd00::1"],
    ],
)
async def test_a_name_that_leads_to_a_private_address_is_refused(addresses: list[str]) -> None:
    network = Network()
    with pytest.raises(AddressRefused):
        await post("http://inside.example/", Names(addresses), network)
    assert network.requests == []


async def test_private_addresses_are_connected_to_where_the_setting_allows_them() -> None:
    network = Network()
    await post("http://inside.example/", Names(["10.0.0.7"]), network, allow_private=True)
    assert network.hosts == ["10.0.0.7"]


async def test_the_next_address_is_tried_where_one_is_closed() -> None:
    network = Network("2606:4700:4700::1111")
    await post("http://school.example/", Names(["2606:4700:4700::1111", "93.184.216.34"]), network)
    assert network.hosts == ["2606:4700:4700::1111", "93.184.216.34"]


async def test_three_closed_addresses_are_enough() -> None:
    closed = [f"93.184.216.{number}" for number in range(1, 6)]
    network = Network(*closed)
    with pytest.raises(httpx.ConnectError):
        await post("http://school.example/", Names(closed), network)
    assert network.hosts == closed[:3]


async def test_a_name_without_an_address_says_so() -> None:
    with pytest.raises(NameUnresolved):
        await post("http://nowhere.example/", Names([]), Network())


@pytest.mark.parametrize("spelling", ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "localhost"])
async def test_no_spelling_hides_this_machine_from_the_check(spelling: str) -> None:
    with pytest.raises(AddressRefused):
        await checked_addresses(spelling, 8000, resolve_by_system, allow_private=False)


async def test_a_lookup_that_never_ends_can_be_left() -> None:
    """The question goes on in a thread of its own; nobody waits for it."""
    never = asyncio.Event()

    async def silent(host: str, port: int) -> Sequence[Address]:
        await never.wait()
        raise AssertionError(host, port)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await post("http://school.example/", silent, Network())
