"""`python -m tests.chaos`: break the real system in every way we know, and count what it loses."""

import asyncio
import random
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final

import click

from tests.chaos import report
from tests.chaos.combination import combination
from tests.chaos.fault import Fault
from tests.chaos.faults import FAULTS
from tests.chaos.run import Outcome, attempt
from tests.chaos.system import open_system

COMBINATIONS: Final = 3
SEED: Final = 8
"""Of a run that names none: its combinations have servers in them as well as processes."""


@click.command()
@click.option("--short", is_flag=True, help="Only the faults that every change is tried with.")
@click.option("--only", multiple=True, metavar="NAME", help="Only this fault; may be given several times.")
@click.option("--seed", type=int, default=SEED, show_default=True, help="Of all that is left to chance.")
@click.option("--seconds", type=float, default=0.0, help="Go on with random combinations until so long has passed.")
@click.option("--write", type=click.Path(exists=True, path_type=Path), help="Page to put the measured table into.")
@click.option("--keep", type=click.Path(path_type=Path), help="Directory for logs and data, which stays.")
@click.option("--list", "listed", is_flag=True, help="Say which faults there are.")
def main(
    *,
    short: bool,
    only: tuple[str, ...],
    seed: int,
    seconds: float,
    write: Path | None,
    keep: Path | None,
    listed: bool,
) -> None:
    """Break the real system in every way we know, and count what it loses.

    Exits 1 if a promise was broken.
    """
    everything = [*FAULTS, *combinations(seed)]
    chosen = selected(everything, only, short=short)
    if listed:
        for fault in chosen:
            click.echo(f"{fault.name:<26} {fault.title}")
        return
    started = time.monotonic()
    try:
        outcomes = asyncio.run(run(chosen, seed, started + seconds, keep))
    except (asyncio.CancelledError, KeyboardInterrupt):
        sys.exit("Stopped before the end; whatever was started is ended.")
    click.echo(f"{len(outcomes)} trials in {time.monotonic() - started:.0f} s, seed {seed}")
    if write is not None:
        report.write(write, everything, outcomes)
    if broken := [outcome.name for outcome in outcomes if not outcome.kept]:
        sys.exit(f"Promises were broken under: {', '.join(broken)}")


def combinations(seed: int) -> list[Fault]:
    """The random combinations of a run; the short one has the first."""
    return [combination(FAULTS, seed + more, short=more == 0) for more in range(COMBINATIONS)]


def selected(everything: Sequence[Fault], only: Sequence[str], *, short: bool) -> list[Fault]:
    """The faults asked for; raises `click.UsageError` where one is not known."""
    known = {fault.name: fault for fault in everything}
    if unknown := [name for name in only if name not in known]:
        raise click.UsageError(f"There is no fault {unknown[0]}; those there are: {', '.join(known)}.")
    return [known[name] for name in only] or [fault for fault in everything if fault.short or not short]


async def run(faults: Sequence[Fault], seed: int, until: float, keep: Path | None) -> list[Outcome]:
    """Try these faults one after the other on one system, then random combinations while there is time."""
    chances = random.Random(seed)  # noqa: S311 - dice, and the same ones every time
    if (this := asyncio.current_task()) is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    async with a_home(keep) as home, open_system(home, chances) as system:
        outcomes = [tell(await attempt(system, fault)) for fault in faults]
        for fault in combinations_from(seed + COMBINATIONS):
            if time.monotonic() >= until:
                return outcomes
            outcomes.append(tell(await attempt(system, fault)))
    raise AssertionError("unreachable: combinations do not end")


def combinations_from(seed: int) -> Iterator[Fault]:
    return (combination(FAULTS, one) for one in count(seed))


def tell(outcome: Outcome) -> Outcome:
    """Say what came of a trial as soon as it is known."""
    click.echo(report.line(outcome))
    for complaint in report.complaints(outcome):
        click.echo(complaint)
    return outcome


@asynccontextmanager
async def a_home(keep: Path | None) -> AsyncIterator[Path]:
    """A directory for one run, removed after it unless it is to be kept."""
    if keep is not None:
        yield keep / f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
        return
    with tempfile.TemporaryDirectory(prefix="gradeline-chaos-") as folder:
        yield Path(folder)


if __name__ == "__main__":
    main()
