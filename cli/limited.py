"""Telling people that a limit holds lines back, so that a command that waits does not look like one that hangs."""

from typing import Final

import click
import msgspec

from cli.backlog import Entry

MOST_NAMED: Final = 20


class LimitNotice:
    """Says on stderr, once per learner, that lines wait; after the first twenty learners, once for all others."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def __call__(self, entry: Entry, seconds: float, reason: str) -> None:
        """A line waits so long, for this reason."""
        learner = str(msgspec.json.decode(entry.body).get("learner_id"))
        if learner in self._told or len(self._told) > MOST_NAMED:
            return
        self._told.add(learner)
        if len(self._told) > MOST_NAMED:
            click.echo("more learners are at their limit; they are waited for as well", err=True)
            return
        click.echo(
            f"learner {learner!r} is at a limit: {reason.rstrip('.')}; going on in {seconds:.0f} s; "
            "Ctrl-C and run it again to go on later",
            err=True,
        )
