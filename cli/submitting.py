"""Handing in the lines of a file while watching what becomes of those that are in."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import msgspec

from cli.backlog import Entry
from cli.client import Client, connected
from cli.handing_in import MOST_IN_BATCH, Said, Sender
from cli.idempotency import FIELD, LineKeys
from cli.limited import LimitNotice
from cli.ndjson import BadLine, Line
from cli.outcome import Outcome
from cli.target import Target
from cli.together import together
from cli.watching import FINAL, Document, Watch

OnFinal = Callable[[Document, int], None]
"""Gets a final submission and the number of its line."""


def ignore(_document: Document, _line: int) -> None:
    """Do nothing with a final submission."""


class Progress(Protocol):
    """Whoever shows how far it is."""

    def update(self, outcome: Outcome, put_off: int) -> None:
        """Show the figures as they are now; `put_off` lines wait until the server will take them."""
        ...


class Submitting:
    """Sends lines and, where asked, watches each until it is final; notes in `outcome` whatever is said."""

    def __init__(
        self,
        client: Client,
        lines: Iterable[Line | BadLine],
        outcome: Outcome,
        progress: Progress,
        *,
        watch: bool,
        most_in_batch: int,
        on_final: OnFinal,
    ) -> None:
        self._outcome = outcome
        self._progress = progress
        self._watches = watch
        self._on_final = on_final
        self._watch = Watch(client, self._seen)
        self._sender = Sender(
            client, entries_of(lines, outcome), self._said, on_limit=LimitNotice(), most_in_batch=most_in_batch
        )

    async def run(self) -> None:
        """Until all is handed in and, where asked, final; raises what `Sender` and `Watch` raise."""
        await together(self._send(), self._watch.run())

    async def _send(self) -> None:
        await self._sender.run()
        self._watch.close()

    def _said(self, said: Said) -> None:
        if isinstance(said, BadLine):
            self._outcome.problems.append(said)
        elif self._outcome.kept(said) and self._watches:
            self._follow(said.submission)
        self._show()

    def _follow(self, document: Document) -> None:
        if document["status"] in FINAL:  # it was handed in before
            self._seen(document)
        else:
            self._watch.add(document)

    def _seen(self, document: Document) -> None:
        self._outcome.seen(document)
        if document["status"] in FINAL:
            self._on_final(document, self._outcome.lines[document["id"]])
        self._show()

    def _show(self) -> None:
        self._progress.update(self._outcome, self._sender.backlog.put_off)


async def submit_lines(
    target: Target,
    lines: Iterable[Line | BadLine],
    outcome: Outcome,
    progress: Progress,
    *,
    watch: bool,
    most_in_batch: int = MOST_IN_BATCH,
    on_final: OnFinal = ignore,
) -> None:
    """Hand in lines and, where asked, watch each until it is final: then `on_final` gets it with its line.

    `outcome` is filled as things happen, so that it is true whenever this ends.
    """
    async with connected(target) as client:
        submitting = Submitting(
            client, lines, outcome, progress, watch=watch, most_in_batch=most_in_batch, on_final=on_final
        )
        await submitting.run()


def entries_of(lines: Iterable[Line | BadLine], outcome: Outcome) -> Iterator[Entry]:
    """What can be sent, each under its key; what cannot is noted."""
    keys = LineKeys()
    for line in lines:
        if isinstance(line, BadLine):
            outcome.problems.append(line)
        else:
            yield Entry(line.number, msgspec.json.encode({**line.value, FIELD: keys.key_of(line.value)}))
