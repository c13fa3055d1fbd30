"""TLS to a checked address still proves the name; the certificate beside this file is for `receiver.test`."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest

from pipeline.delivery.destination import Address
from pipeline.webhook.transport import GuardedTransport

CERTIFICATE = Path(__file__).parent / "tls" / "certificate.pem"
KEY = Path(__file__).parent / "tls" / "key.pem"


async def loopback(host: str, port: int) -> Sequence[Address]:
    del host, port
    return (ip_address("127.0.0.1"),)


class TlsReceiver:
    """Answers 204 over TLS and remembers the names it was asked for."""

    def __init__(self) -> None:
        self.port = 0
        self.names: list[str | None] = []

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE, KEY)
        context.sni_callback = lambda _, name, __: self.names.append(name)
        return context

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()
        await writer.wait_closed()


@pytest.fixture
async def receiver() -> AsyncIterator[TlsReceiver]:
    receiver = TlsReceiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=receiver.context())
    receiver.port = server.sockets[0].getsockname()[1]
    yield receiver
    server.close()


async def post(url: str, trusted: ssl.SSLContext | bool) -> int:
    inner = httpx.AsyncHTTPTransport(verify=trusted, trust_env=False)
    transport = GuardedTransport(resolve=loopback, allow_private=True, inner=inner)
    try:
        response = await transport.handle_async_request(httpx.Request("POST", url))
        await response.aread()
        return response.status_code
    finally:
        await transport.aclose()


def trusting_receiver() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(CERTIFICATE))


async def test_the_handshake_asks_for_the_name_and_its_certificate_is_taken(receiver: TlsReceiver) -> None:
    assert await post(f"https://receiver.test:{receiver.port}/", trusting_receiver()) == 204
    assert receiver.names == ["receiver.test"]


async def test_a_certificate_for_another_name_is_refused(receiver: TlsReceiver) -> None:
    with pytest.raises(httpx.ConnectError, match="Hostname mismatch"):
        await post(f"https://other.test:{receiver.port}/", trusting_receiver())


async def test_a_certificate_nobody_vouches_for_is_refused(receiver: TlsReceiver) -> None:
    with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
        await post(f"https://receiver.test:{receiver.port}/", trusted=True)
