"""Handing in many submissions: in batches, each line refused alone, each sent again only when it was told to."""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from cli.backlog import Backlog, Entry
from cli.client import LATER, Client, Refused, Unreachable, sentence
from cli.clock import Clock, RealClock
from cli.ndjson import BadLine
from cli.together import together

MOST_IN_BATCH: Final = 200
MOST_BATCH_BYTES: Final = 8_000_000
SENDERS: Final = 3
LOOK_SECONDS: Final = 0.2
UNAVAILABLE: Final = 503
LIMITED: Final = 429
FIRST_DELAY_SECONDS: Final = 0.5
LONGEST_DELAY_SECONDS: Final = 10.0
PATIENCE_SECONDS: Final = 60.0
"""How long a server may be away before we give up; the same command goes on where it stopped."""

REAL_CLOCK: Final = RealClock()


class HandedIn(NamedTuple):
    """A line the server keeps: its submission as answered, and whether it was there before."""

    number: int
    submission: dict[str, Any]
    repeated: bool


Said = HandedIn | BadLine

OnLimit = Callable[[Entry, float, str], None]
"""Gets a line that a limit holds back, for how many seconds, and the server's reason."""


def ignore_limit(_entry: Entry, _seconds: float, _reason: str) -> None:
    """Wait without a word."""


class Sender:
    """Sends a backlog with a few batches under way at once, and tells what became of each line.

    `tell` is called once per line that is decided, `on_limit` each time a limit puts one off. Raises
    `Unreachable` or `Refused` where nothing got through for a minute, and `Refused` at once for a key
    that may not hand in.
    """

    def __init__(
        self,
        client: Client,
        entries: Iterator[Entry],
        tell: Callable[[Said], None],
        *,
        on_limit: OnLimit = ignore_limit,
        most_in_batch: int = MOST_IN_BATCH,
        clock: Clock = REAL_CLOCK,
    ) -> None:
        self.backlog = Backlog(entries)
        self._client = client
        self._tell = tell
        self._on_limit = on_limit
        self._most = most_in_batch
        self._clock = clock
        self._under_way = 0
        self._heard = self._clock.now()

    async def run(self) -> None:
        """Send everything."""
        await together(*(self._send_all() for _ in range(SENDERS)))

    async def _send_all(self) -> None:
        while True:
            now = self._clock.now()
            if batch := self.backlog.take(now, most=self._most, most_bytes=MOST_BATCH_BYTES):
                await self._send(batch)
            elif (due := self.backlog.next_due) is not None:
                await self._clock.sleep(min(LOOK_SECONDS, max(0.0, due - now)))
            elif self._under_way:
                await self._clock.sleep(LOOK_SECONDS)
            else:
                return

    async def _send(self, batch: Sequence[Entry]) -> None:
        self._under_way += 1
        try:
            await self._post(batch)
        except Unreachable as error:
            self._put_off(batch, None, error)
        except Refused as error:
            await self._refused(batch, error)
        finally:
            self._under_way -= 1

    async def _post(self, batch: Sequence[Entry]) -> None:
        body = b"[" + b",".join(entry.body for entry in batch) + b"]"
        headers = {"Content-Type": "application/json"}
        reply = await self._client.call("POST", "/v1/submissions/batch", body=body, headers=headers)
        answers = reply.json()["items"]
        if any(answer["status"] != UNAVAILABLE for answer in answers):
            self._heard = self._clock.now()
        for entry, answer in zip(batch, answers, strict=True):
            self._hear(entry, answer)

    def _hear(self, entry: Entry, answer: dict[str, Any]) -> None:
        """What became of one line."""
        if "submission" in answer:
            self._tell(HandedIn(entry.number, answer["submission"], is_repeat(answer)))
            return
        reason = sentence(answer.get("problem") or {})
        if answer["status"] in LATER:
            self._put_off([entry], asked_delay(answer), Refused(reason, status=answer["status"]))
        else:
            self._tell(BadLine(entry.number, reason))

    async def _refused(self, batch: Sequence[Entry], error: Refused) -> None:
        """The whole batch was refused: for now, for ever, or because of something in it that halving will find."""
        if error.status in LATER:
            self._put_off(batch, error.retry_after_seconds, error)
        elif error.status in (401, 403, 404, 405):
            raise error
        elif len(batch) == 1:
            self._tell(BadLine(batch[0].number, str(error)))
        else:
            middle = len(batch) // 2
            await self._send(batch[:middle])
            await self._send(batch[middle:])

    def _put_off(self, batch: Sequence[Entry], seconds: float | None, error: Unreachable | Refused) -> None:
        if self._clock.now() - self._heard > PATIENCE_SECONDS + (seconds or 0.0):
            raise error
        delay = own_delay(batch[0]) if seconds is None else seconds
        for entry in batch:
            self.backlog.put_back(entry, self._clock.now() + delay)
            if isinstance(error, Refused) and error.status == LIMITED:
                self._on_limit(entry, delay, str(error))


def is_repeat(answer: dict[str, Any]) -> bool:
    """Whether the key was used before, so that nothing new was made."""
    return bool(answer.get("replayed"))


def asked_delay(answer: dict[str, Any]) -> float | None:
    """Seconds the answer asks for, where it says so."""
    given = answer.get("retry_after")
    return float(given) if isinstance(given, int | float) else None


def own_delay(entry: Entry) -> float:
    """Where nobody says how long: doubling, with jitter so that senders part."""
    longest = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0**entry.delays)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter is no secret
