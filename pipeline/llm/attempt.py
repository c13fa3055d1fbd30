"""One call of an SDK: as long as it may take, and whatever happens a reply."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from typing import Final

import anyio
import httpx2
import msgspec

from pipeline.exchange import Failed, Reply, Trouble
from pipeline.llm.connection import broken
from pipeline.llm.trouble import classify

GARBLED: Final = (json.JSONDecodeError, UnicodeDecodeError, msgspec.DecodeError)
BROKEN: Final = (httpx2.HTTPError, httpx2.InvalidURL, ssl.SSLError, anyio.EndOfStream, anyio.BrokenResourceError)
"""What a connection raises; those after the second come through where httpx2 does not translate them."""
OK: Final = 200


class SdkErrors(msgspec.Struct, frozen=True):
    """How an SDK names its errors: an answer of HTTP's that is an error, a broken connection, and all others."""

    status: type[Exception]
    connection: type[Exception]
    any: type[Exception]


class Pace:
    """The time of one call: what it may take in all, and until the first text of a stream."""

    def __init__(self, seconds: float, first_text_seconds: float | None = None) -> None:
        self._began = asyncio.get_running_loop().time()
        self._end = self._began + seconds
        self.limit = asyncio.timeout_at(min(self._end, self._began + (first_text_seconds or seconds)))
        self.first_text_seconds: float | None = None
        self._waits_for_text = first_text_seconds is not None

    def text_came(self) -> None:
        """The first text is here: from now on only the whole counts."""
        if self.first_text_seconds is None:
            self.first_text_seconds = asyncio.get_running_loop().time() - self._began
            self._waits_for_text = False
            self.limit.reschedule(self._end)

    @property
    def missed(self) -> str:
        """What did not come in time."""
        return "no text in time" if self._waits_for_text else "no end in time"


async def attempt(ask: Callable[[], Awaitable[Reply]], pace: Pace, errors: SdkErrors) -> Reply:
    """The reply, or how asking failed; only a cancellation and faults of our own come out as exceptions."""
    try:
        async with pace.limit:
            return await ask()
    except TimeoutError:
        return Failed(Trouble.TIMED_OUT, pace.missed)
    except GARBLED as error:
        return Failed(Trouble.UNREADABLE, type(error).__name__)
    except BROKEN as error:
        return broken(error)
    except errors.any as error:
        return failed_by(error, errors)


def failed_by(error: Exception, errors: SdkErrors) -> Failed:
    """What an error that an SDK raised means."""
    if isinstance(error, errors.connection):
        return broken(error.__cause__ or error)
    body = getattr(error, "body", None)
    if isinstance(error, errors.status):
        response: httpx2.Response = getattr(error, "response")  # noqa: B009 - both SDKs have it, in types of their own
        inside_a_stream = response.status_code == OK
        return classify(None if inside_a_stream else response.status_code, body, response.headers)
    return classify(None, body)
