"""`python -m tests.chaos`: break the real system in every way we know, and count what it loses."""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from tests.chaos import report
from tests.chaos.fault import Fault
from tests.chaos.faults import FAULTS
from tests.chaos.run import Outcome, attempt
from tests.chaos.system import open_system


@click.command()
@click.option("--short", is_flag=True, help="Only the faults that every change is tried with.")
@click.option("--only", multiple=True, type=click.Choice([fault.name for fault in FAULTS]), help="Only this fault.")
@click.option("--write", type=click.Path(exists=True, path_type=Path), help="Page to put the measured table into.")
@click.option("--keep", type=click.Path(path_type=Path), help="Directory for logs and data, which stays.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of everything that is left to chance.")
@click.option("--list", "listed", is_flag=True, help="Say which faults there are.")
def main(*, short: bool, only: tuple[str, ...], write: Path | None, keep: Path | None, seed: int, listed: bool) -> None:
    """Break the real system in every way we know, and count what it loses."""
    chosen = [fault for fault in FAULTS if fault.name in only or (not only and (fault.short or not short))]
    if listed:
        for fault in chosen:
            click.echo(f"{fault.name:<26} {fault.title}")
        return
    started = time.monotonic()
    outcomes = asyncio.run(run(chosen, keep, random.Random(seed)))  # noqa: S311 - dice, and the same ones every time
    click.echo(f"{len(outcomes)} faults in {time.monotonic() - started:.0f} s")
    if write is not None:
        report.write(write, FAULTS, outcomes)
    if broken := [outcome.name for outcome in outcomes if not outcome.kept]:
        sys.exit(f"Promises were broken under: {', '.join(broken)}")


async def run(faults: Sequence[Fault], keep: Path | None, chances: random.Random) -> list[Outcome]:
    """Try these faults one after the other on one system."""
    outcomes = []
    async with a_home(keep) as home, open_system(home, chances) as system:
        for fault in faults:
            outcome = await attempt(system, fault)
            outcomes.append(outcome)
            click.echo(report.line(outcome))
            for complaint in report.complaints(outcome):
                click.echo(complaint)
    return outcomes


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
