"""Stand-ins for a server and a clock."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec

from cli.client import Client

Answer = Callable[[httpx.Request], httpx.Response]


class FakeClock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)


@asynccontextmanager
async def client_of(answer: Answer) -> AsyncIterator[Client]:
    """A client whose calls are answered by a function."""
    async with httpx.AsyncClient(base_url="http://server", transport=httpx.MockTransport(answer)) as http:
        yield Client(http, "http://server")


def problem(status: int, detail: str, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers=headers, content=msgspec.json.encode({"status": status, "detail": detail}))


def json_of(request: httpx.Request) -> Any:
    return msgspec.json.decode(request.content)
