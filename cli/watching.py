"""Waiting until submissions are final: a few long polls at once, in the order of handing in."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from cli.client import Client, Refused, Unreachable
from cli.clock import Clock, RealClock
from cli.together import together

FINAL: Final = frozenset({"completed", "failed", "cancelled"})
WATCHERS: Final = 8
WAIT_SECONDS: Final = 10
PAUSE_SECONDS: Final = 0.1
"""Between two looks at the same submission; many become final meanwhile and cost one look each."""
PATIENCE_SECONDS: Final = 60.0
CLOSED: Final = ""

REAL_CLOCK: Final = RealClock()


class Watch:
    """Looks after submissions until each is final.

    `tell` is called with each document as it is seen and differs from before. Work goes through the
    queues roughly in order, so while the watchers wait on the oldest, the others get done; each of those
    then costs one short call. Raises `Unreachable` or `Refused` where nothing could be read for a minute.
    """

    def __init__(self, client: Client, tell: Callable[[dict[str, Any]], None], clock: Clock = REAL_CLOCK) -> None:
        self._client = client
        self._tell = tell
        self._clock = clock
        self._ids: asyncio.Queue[str] = asyncio.Queue()
        self._tags: dict[str, str] = {}
        self._open = 0
        self._closed = False
        self._heard = self._clock.now()

    def add(self, submission_id: str) -> None:
        """Look after one more."""
        self._open += 1
        self._ids.put_nowait(submission_id)

    def close(self) -> None:
        """No more will be added: `run` returns when all are final."""
        self._closed = True
        self._end_if_done()

    async def run(self) -> None:
        """Look until closed and all are final."""
        await together(*(self._look_after() for _ in range(WATCHERS)))

    async def _look_after(self) -> None:
        while (submission_id := await self._ids.get()) != CLOSED:
            if await self._look(submission_id):
                self._tags.pop(submission_id, None)
                self._open -= 1
                self._end_if_done()
            else:
                await self._clock.sleep(PAUSE_SECONDS)
                self._ids.put_nowait(submission_id)

    def _end_if_done(self) -> None:
        if self._closed and self._open == 0:
            for _ in range(WATCHERS):
                self._ids.put_nowait(CLOSED)

    async def _look(self, submission_id: str) -> bool:
        """Whether it is final now."""
        tag = self._tags.get(submission_id)
        headers = {"If-None-Match": tag} if tag else {}
        path = f"/v1/submissions/{submission_id}"
        try:
            reply = await self._client.call("GET", path, params={"wait": WAIT_SECONDS}, headers=headers)
        except (Unreachable, Refused) as error:
            self._bear(error)
            return False
        self._heard = self._clock.now()
        if reply.status == 304:  # noqa: PLR2004 - not modified
            return False
        document = reply.json()
        self._tags[submission_id] = reply.headers.get("ETag", "")
        self._tell(document)
        return document["status"] in FINAL

    def _bear(self, error: Unreachable | Refused) -> None:
        """Go on in spite of an error that may pass."""
        lasting = isinstance(error, Refused) and error.retry_after_seconds is None
        if lasting or self._clock.now() - self._heard > PATIENCE_SECONDS:
            raise error
