"""Waiting until submissions are final: long polls of the oldest, and lists for the many that finish meanwhile."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from cli.client import Client, Refused, Unreachable
from cli.clock import Clock, RealClock
from cli.together import together

FINAL: Final = frozenset({"completed", "failed", "cancelled"})
POLLED_AT_ONCE: Final = 8
WAIT_SECONDS: Final = 2
PAUSE_SECONDS: Final = 0.1
FEW: Final = 20
"""So many are read one by one; more are read from lists."""

WINDOW: Final = 1_000
PAGE: Final = 200
LEAST_SHARE: Final = 0.25
"""Of what a list shows, at least so much must be ours; else others hand in much too, and we read one by one."""

PATIENCE_SECONDS: Final = 60.0
REAL_CLOCK: Final = RealClock()

Document = dict[str, Any]


class Watch:
    """Looks after submissions until each is final.

    `tell` is called with each document that differs from what was seen before. Work goes through the
    queues roughly in order, so a round waits until the oldest change and then reads the next thousand from
    lists, 200 in a call. Raises `Unreachable` or `Refused` where nothing could be read for a minute.
    """

    def __init__(self, client: Client, tell: Callable[[Document], None], *, clock: Clock = REAL_CLOCK) -> None:
        self._client = client
        self._tell = tell
        self._clock = clock
        self._open: dict[str, Document] = {}
        self._tags: dict[str, str] = {}
        self._closed = False
        self._changed = asyncio.Event()
        self._lists = True
        self._heard = clock.now()

    def add(self, document: Document) -> None:
        """Look after one more, last seen like this."""
        self._open[document["id"]] = document
        self._changed.set()

    def close(self) -> None:
        """No more will be added: `run` returns when all are final."""
        self._closed = True
        self._changed.set()

    async def run(self) -> None:
        """Look until closed and all are final."""
        while self._open or not self._closed:
            if not self._open:
                self._changed.clear()
                await self._changed.wait()
                continue
            try:
                await self._round()
            except (Unreachable, Refused) as error:
                self._bear(error)
            await self._clock.sleep(PAUSE_SECONDS)

    async def _round(self) -> None:
        await together(*[self._poll(name) for name in islice(self._open, POLLED_AT_ONCE)])
        if self._lists and len(self._open) > FEW:
            await self._list()

    async def _poll(self, name: str) -> None:
        """Read one when it changes, or after a while as it is."""
        tag = self._tags.get(name)
        headers = {"If-None-Match": tag} if tag else {}
        reply = await self._client.call(
            "GET", f"/v1/submissions/{name}", params={"wait": WAIT_SECONDS}, headers=headers
        )
        self._heard = self._clock.now()
        if reply.status != 304:  # noqa: PLR2004 - not modified
            self._tags[name] = reply.headers.get("ETag", "")
            self._see(reply.json())

    async def _list(self) -> None:
        """Read those handed in next, page by page."""
        params: dict[str, Any] = {**span([*islice(self._open.values(), WINDOW)]), "limit": PAGE}
        shown = ours = 0
        while True:
            page = await self._client.get("/v1/submissions", **params)
            self._heard = self._clock.now()
            for document in page["items"]:
                shown += 1
                ours += document["id"] in self._open
                self._see(document)
            if page["next"] is None:
                break
            params["cursor"] = page["next"]
        self._lists = ours >= LEAST_SHARE * shown

    def _see(self, document: Document) -> None:
        before = self._open.get(document["id"])
        if before is None:
            return  # somebody else's, or final already
        if document["status"] in FINAL:
            del self._open[document["id"]]
            self._tags.pop(document["id"], None)
        else:
            self._open[document["id"]] = document
        if document != before:
            self._tell(document)

    def _bear(self, error: Unreachable | Refused) -> None:
        """Go on in spite of an error that may pass."""
        lasting = isinstance(error, Refused) and error.retry_after_seconds is None
        if lasting or self._clock.now() - self._heard > PATIENCE_SECONDS:
            raise error


def span(documents: list[Document]) -> Mapping[str, str]:
    """When these were accepted, from the first up to just behind the last, as a list's filter takes it."""
    moments = [datetime.fromisoformat(document["created_at"]) for document in documents]
    behind = max(moments) + timedelta(microseconds=1)
    return {"created_after": min(moments).isoformat(), "created_before": behind.isoformat()}
