"""Providers that send more than any reply is, or pack it: they cost us a request, and neither memory nor a worker."""

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from pipeline.exchange import NAME_CHARS, Completion, Failed, Prompt, Reply, Route, Trouble
from pipeline.llm.build import build_provider
from pipeline.llm.sdk import MOST_REPLY_BYTES

PROMPT = Prompt("feedback/personalized/en@1", "Be kind.", "The facts.", "reply", {"type": "object"}, 300)
MEGABYTE = 1 << 20
HEAD = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nConnection: close\r\n%s\r\n"
PIECE = b'data: {"choices": [{"delta": {"content": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}]}\n\n'
WHOLE = b'{"model": "%s", "choices": [{"message": {"content": "good"}, "finish_reason": "stop"}]}'


class Torrent:
    """Answers each request with these bytes, the last of them again and again until nobody takes more."""

    def __init__(self, first: bytes, again: bytes = b"") -> None:
        self.first, self.again, self.sent = first, again, 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            writer.write(self.first)
            await writer.drain()
            while self.again:
                writer.write(self.again)
                self.sent += len(self.again)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def asked(torrent: Torrent) -> AsyncIterator[str]:
    server = await asyncio.start_server(torrent.answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    yield f"http://{host}:{port}/v1"
    server.close()


async def reply_to(torrent: Torrent, *, streamed: bool = False) -> Reply:
    async def tell(text: str) -> None:
        assert text

    async with asked(torrent) as address:
        provider = build_provider(Route("a", "openai", "small", "account"), "sk-test", address)
        reply = await provider.send(PROMPT, user="u", key="k", seconds=60.0, tell=tell if streamed else None)
        await provider.close()
    return reply


async def test_of_an_error_without_end_the_beginning_is_read() -> None:
    torrent = Torrent(HEAD % (b"429 Too Many Requests", b"Retry-After: 7\r\n"), b"x" * MEGABYTE)
    reply = await reply_to(torrent)
    assert isinstance(reply, Failed)
    assert (reply.trouble, reply.retry_after_seconds) == (Trouble.RATE_LIMITED, 7.0)
    assert torrent.sent <= 16 * MEGABYTE


@pytest.mark.parametrize("status", [b"200 OK", b"500 Internal Server Error"])
async def test_a_packed_reply_is_not_unpacked_beyond_what_a_reply_is(status: bytes) -> None:
    packed = gzip.compress(bytes(128 * MEGABYTE), 9)
    tracemalloc.start()
    reply = await reply_to(Torrent(HEAD % (status, b"Content-Encoding: gzip\r\n") + packed))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(reply, Failed)
    assert reply.trouble in {Trouble.UNREADABLE, Trouble.SERVER_ERROR}
    assert most < 96 * MEGABYTE


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_reply_without_end_is_left(*, streamed: bool) -> None:
    torrent = Torrent(HEAD % (b"200 OK", b""), PIECE * 10_000)
    reply = await reply_to(torrent, streamed=streamed)
    assert isinstance(reply, Failed)
    assert reply.trouble is Trouble.UNREADABLE
    assert torrent.sent <= 4 * MOST_REPLY_BYTES


async def test_a_provider_that_answers_with_another_model_is_named_by_it_and_briefly() -> None:
    head = HEAD % (b"200 OK", b"X-Request-Id: " + b"r" * 4_000 + b"\r\n")
    reply = await reply_to(Torrent(head + WHOLE % (b"other-" * 100_000)))
    assert isinstance(reply, Completion)
    assert reply.model == ("other-" * 100_000)[:NAME_CHARS]
    assert (reply.text, reply.request_id) == ("good", None)
