"""Progress bars on stderr, so that stdout stays clean for what scripts read."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli.outcome import Outcome


@contextmanager
def bars(*, quiet: bool) -> Iterator[Progress]:
    """Bars that are there only where somebody sees them."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
        disable=quiet or not console.is_terminal,
    ) as progress:
        yield progress


class SubmissionBars:
    """One bar for lines handed in, and one for submissions that are final."""

    def __init__(self, progress: Progress, total: int | None, *, watch: bool) -> None:
        self._progress = progress
        self._total = total
        self._sent = progress.add_task("handed in", total=total, note="")
        self._final = progress.add_task("final", total=total, note="") if watch else None

    def update(self, outcome: Outcome, put_off: int) -> None:
        """Show the figures as they are now."""
        decided = outcome.decided
        note = f"{put_off} wait for a limit or the server" if put_off else ""
        self._progress.update(self._sent, completed=decided, note=note)
        if self._final is None:
            return
        total = None if self._total is None else max(self._total - (decided - len(outcome.lines)), 0)
        note = "  ".join(f"{status} {count}" for status, count in (+outcome.statuses).items())
        self._progress.update(self._final, completed=outcome.final, total=total, note=note)


@contextmanager
def shown(total: int | None, *, watch: bool, quiet: bool) -> Iterator[SubmissionBars]:
    """Bars for a file of `total` lines (None: nobody knows)."""
    with bars(quiet=quiet) as progress:
        yield SubmissionBars(progress, total, watch=watch)
