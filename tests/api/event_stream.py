"""A submission's events as a client of a real server receives them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx
import msgspec

from pipeline.lifecycle import Stage
from tests.api.live import LiveApi
from tests.staging import build_stage_by_stage


class Event(NamedTuple):
    id: int
    name: str
    data: dict[str, Any]


class EventStream:
    """An answer's lines as events; a comment is an event with no name."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.aiter_lines()

    async def next(self) -> Event | None:
        """The next event with data; None at the end."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(20):
            async for line in self._lines:
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif "data" in fields:
                    return Event(int(fields["id"]), fields["event"], msgspec.json.decode(fields["data"]))
        return None

    async def rest(self) -> list[Event]:
        """All events until the end."""
        events = []
        while (event := await self.next()) is not None:
            events.append(event)
        return events


@asynccontextmanager
async def events(
    live: LiveApi,
    submission_id: str,
    last_event_id: str | None = None,
    *,
    credential: Mapping[str, str] | None = None,
    until: str | None = None,
) -> AsyncIterator[EventStream]:
    """The events of a submission, followed with a submitter's key or with `credential`."""
    known = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
    headers = {**(credential or live.credential()), **known}
    path = f"/v1/submissions/{submission_id}/events"
    wanted = {} if until is None else {"until": until}
    async with live.http.stream("GET", path, headers=headers, params=wanted) as answer:
        yield EventStream(answer)


async def run_all(live: LiveApi, submission_id: str) -> None:
    """Run all stages of a submission, here and now."""
    worker = build_stage_by_stage(live.parts.settings, live.parts.servers)
    for stage in Stage:
        await worker.runners[stage].ring([submission_id])
