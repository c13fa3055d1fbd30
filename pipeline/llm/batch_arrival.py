"""What a provider's answers and errors say of a batch: that it arrived, may have, never will, or isn't known."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx2

from pipeline.errors import NotFound, Unavailable
from pipeline.llm.attempt import GARBLED, SdkErrors
from pipeline.llm.connection import NOT_SENT
from pipeline.ports.batch import Refused, Unsure

SEND_SECONDS: Final = 600.0
"""So long a hand-over may take at most; less than it is waited for in the provider's list."""
UNKNOWN: Final = 404
PUT_OFF: Final = frozenset({401, 402, 403, 425, 429})
"""Answers by which a request was not taken, and may be taken later: an account's troubles are mended one day."""
UNCLEAR: Final = frozenset({408, 409})
"""Answers after which a request may have been taken: too slow, or there already."""
CLIENT_ERRORS: Final = range(400, 500)


@asynccontextmanager
async def answered(errors: SdkErrors) -> AsyncIterator[None]:
    """Whatever goes wrong with a call is tried again in a later round; raises `NotFound` where it asks for nothing."""
    try:
        yield
    except (errors.any, httpx2.HTTPError, OSError, *GARBLED) as error:
        if status_of(error) == UNKNOWN:
            raise NotFound("The provider does not know this batch.") from None
        raise unavailable(error) from None


def arrival(error: Exception) -> Unsure | Refused:
    """What became of a hand-over that failed so; raises `Unavailable` where it surely did not arrive and may yet."""
    status = status_of(error)
    if isinstance(error, NOT_SENT) or isinstance(error.__cause__, NOT_SENT) or status in PUT_OFF:
        raise unavailable(error) from None
    if status in CLIENT_ERRORS and status not in UNCLEAR:
        return Refused(status)
    return Unsure()


def refusal(error: Exception) -> Refused:
    """What a preparation that failed so means, which may be done again; raises `Unavailable` unless it never helps."""
    found = arrival(error)
    if isinstance(found, Unsure):
        raise unavailable(error) from None
    return found


def named(made: Any) -> str | Unsure:
    """The name in a provider's answer; an answer without one says nothing."""
    name = getattr(made, "id", None)
    return name if isinstance(name, str) and name else Unsure()


def status_of(error: BaseException) -> int:
    """HTTP's status; 0 where there was no answer."""
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else 0


def unavailable(error: BaseException) -> Unavailable:
    return Unavailable(f"The provider's batches cannot be asked ({type(error).__name__}).")
