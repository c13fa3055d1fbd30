"""A witness outside: what webhooks told, by a receiver of our own."""

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from tests.receiver import Received, status
from tests.receiver import receiving as receiving_requests


class Told(msgspec.Struct, frozen=True):
    """One webhook: its id, and the submission and the status it tells of, with its whole content."""

    id: str
    submission_id: str
    status: str
    content: str


class Receiver:
    """Takes every webhook with 204 and remembers it."""

    def __init__(self) -> None:
        self.told: dict[str, list[Told]] = defaultdict(list)
        """What was told, by submission."""
        self.url = ""

    def take(self, received: Received) -> bytes | None:
        data = msgspec.json.decode(received.body)["data"]
        told = Told(received.headers["webhook-id"], data["id"], data["status"], received.body)
        self.told[told.submission_id].append(told)
        return status(204)(received)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver at work."""
    receiver = Receiver()
    async with receiving_requests(receiver.take) as requests:
        receiver.url = requests.url
        yield receiver
