"""One webhook over real HTTP to a receiver on this machine."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest
from standardwebhooks import Webhook

from pipeline.delivery.destination import Address
from pipeline.delivery.reply import Answered, Failed, Message, Refused
from pipeline.webhook import WebhookSender
from pipeline.webhook.address import resolve_by_system
from pipeline.webhook.sender import MAX_RESPONSE_BYTES
from tests.receiver import Received, receiving, serving, silence, status

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


async def loopback(host: str, port: int) -> Sequence[Address]:
    """Every name is this machine."""
    del host, port
    return (ip_address("127.0.0.1"),)


def message(url: str, payload: str = '{"type":"submission.completed"}') -> Message:
    return Message("019abc5e-77a1-7c3e-9d5b-2f8a61c04e99", url, payload, SECRET)


@asynccontextmanager
async def sending(*, timeout_seconds: float = 10, allow_private: bool = True) -> AsyncIterator[WebhookSender]:
    sender = WebhookSender(timeout_seconds=timeout_seconds, allow_private=allow_private, resolve=loopback)
    yield sender
    await sender.close()


async def test_the_signature_of_the_specifications_own_example() -> None:
    """Id, time, payload and secret as in the Standard Webhooks reference tests."""
    now = datetime.fromtimestamp(1614265330, UTC)
    sender = WebhookSender(timeout_seconds=10, allow_private=True, resolve=loopback, now=lambda: now)
    async with receiving() as receiver:
        await sender.send(Message("msg_p5jXN8AQM9LWM0D4loKWxJek", receiver.url, '{"test": 2432232314}', SECRET))
        (received,) = receiver.received
    assert received.headers["webhook-timestamp"] == "1614265330"
    assert received.headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_the_host_header_carries_the_name_and_nothing_tells_of_our_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with receiving() as receiver, sending() as sender:
        assert await sender.send(message(f"http://school.example:{receiver.port}/a?b=c")) == Answered(204)
        (received,) = receiver.received
    assert received.headers["host"] == f"school.example:{receiver.port}"
    assert received.path == "/a?b=c"
    assert received.headers.keys() == {
        "host",
        "content-length",
        "content-type",
        "user-agent",
        "accept-encoding",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    }


async def test_each_try_is_signed_for_its_own_time() -> None:
    times = iter([datetime(2026, 3, 2, 9, 0, tzinfo=UTC), datetime(2026, 3, 2, 9, 5, tzinfo=UTC)])
    sender = WebhookSender(timeout_seconds=10, allow_private=True, resolve=loopback, now=lambda: next(times))
    async with receiving() as receiver:
        for _ in range(2):
            await sender.send(message(receiver.url))
        first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


async def test_text_of_any_script_is_signed_as_it_is_sent() -> None:
    async with receiving() as receiver, sending() as sender:
        await sender.send(message(receiver.url, '{"data":{"learner_id":"학생 一 😀"}}'))
        (received,) = receiver.received
    assert Webhook(SECRET).verify(received.body, received.headers)["data"]["learner_id"] == "학생 一 😀"


async def test_no_cookie_of_one_answer_goes_with_the_next_request() -> None:
    async with receiving(status(200, "Set-Cookie: spy=1; Path=/")) as receiver, sending() as sender:
        for _ in range(2):
            await sender.send(message(receiver.url))
        assert all("cookie" not in one.headers for one in receiver.received)


async def test_a_redirect_is_an_answer_and_nobody_goes_there() -> None:
    async with receiving() as inside, receiving(status(307, f"Location: {inside.url}")) as receiver:
        async with sending() as sender:
            assert await sender.send(message(receiver.url)) == Answered(307)
        assert inside.received == []


async def test_retry_after_is_read_in_seconds() -> None:
    async with sending() as sender:
        async with receiving(status(429, "Retry-After: 120")) as receiver:
            assert await sender.send(message(receiver.url)) == Answered(429, 120)
        async with receiving(status(503, "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT")) as receiver:
            assert await sender.send(message(receiver.url)) == Answered(503)


async def test_silence_ends_at_the_time_limit() -> None:
    async with receiving(silence) as receiver, sending(timeout_seconds=0.1) as sender:
        assert await sender.send(message(receiver.url)) == Failed("no answer within 0.1 seconds")


async def test_an_answer_that_drips_ends_at_the_time_limit() -> None:
    """The limit is on the whole, not on the pause between two bytes."""

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in b"HTTP/1.1 200 OK\r\n" + b"X-Filler: 1\r\n" * 1_000_000:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.001)

    async with serving(drip) as port, sending(timeout_seconds=0.1) as sender:
        assert isinstance(await sender.send(message(f"http://127.0.0.1:{port}/")), Failed)


async def test_an_endless_body_is_left_and_the_status_counts() -> None:
    def endless(_: Received) -> bytes:
        return b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + b"x" * (MAX_RESPONSE_BYTES + 1)

    async with receiving(endless) as receiver, sending() as sender:
        assert await sender.send(message(receiver.url)) == Answered(200)


async def test_a_body_cut_short_does_not_change_what_the_status_said() -> None:
    def cut(_: Received) -> bytes:
        return b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"

    async with receiving(cut) as receiver, sending() as sender:
        assert await sender.send(message(receiver.url)) == Answered(200)


@pytest.mark.parametrize("garbage", [b"", b"\x00\x01\x02", b"HTTP/9 nonsense\r\n\r\n", b"220 mail.example ESMTP\r\n"])
async def test_what_is_not_http_is_a_failed_try(garbage: bytes) -> None:
    async with receiving(lambda _: garbage) as receiver, sending() as sender:
        assert isinstance(await sender.send(message(receiver.url)), Failed)


async def test_plain_http_where_tls_is_expected_is_a_failed_try() -> None:
    async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with serving(hello) as port, sending() as sender:
        assert await sender.send(message(f"https://school.example:{port}/")) == Failed("the connection failed")


async def test_a_name_that_leads_inside_is_refused_without_saying_where() -> None:
    async with receiving() as receiver, sending(allow_private=False) as sender:
        reply = await sender.send(message(f"http://school.example:{receiver.port}/"))
        assert reply == Refused("the host is not on the public internet")
        assert receiver.received == []


@pytest.mark.parametrize(
    "url", ["http://user:pw@school.example/", "ftp://school.example/", "http://127.0.0.1:22/", "x"]
)
async def test_a_url_that_slipped_in_is_checked_again_before_sending(url: str) -> None:
    async with sending() as sender:
        assert await sender.send(message(url)) == Refused("the URL is not one that webhooks may be sent to")


async def test_the_systems_resolver_knows_this_machine() -> None:
    assert ip_address("127.0.0.1") in await resolve_by_system("localhost", 80)


async def test_the_systems_resolver_has_no_address_for_a_name_that_can_not_be() -> None:
    assert await resolve_by_system("nowhere.invalid", 80) == ()
