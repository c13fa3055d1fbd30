"""Gradeline beside other designs: `.venv/bin/python -m benchmarks.compare`.

Each system runs alone, one after the other, with its own Postgres and Valkey, so the machine has to be left to
it. Exits with 1 if a promise about speed did not hold. `--scale 0.2` is a quick look.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import msgspec
import uvloop

from benchmarks.compare.contender import CONTENDERS, Contender, started
from benchmarks.compare.figures import Comparison, Measured
from benchmarks.compare.judge import promises
from benchmarks.compare.limits import measure_limits
from benchmarks.compare.measure import CONCURRENCIES, Effort, measure
from benchmarks.compare.report import markdown, write_into
from pipeline.errors import GradelineError

LIMIT_SECONDS = 3.0


def main() -> int:
    """Measure what was asked for."""
    given = parser().parse_args()
    chosen = [one for one in CONTENDERS if not given.only or one.letter in given.only.split(",")]
    try:
        found = compare(chosen, Effort().scaled(given.scale), LIMIT_SECONDS * min(1.0, given.scale))
    except GradelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(markdown(found))
    if given.json is not None:
        given.json.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    if given.write is not None:
        write_into(given.write, markdown(found))
    return 0 if all(promise.held for promise in promises(found)) else 1


def compare(chosen: list[Contender], effort: Effort, limit_seconds: float) -> Comparison:
    """All of them, one after the other; the servers' limits first."""
    begun, load_before = time.monotonic(), round(os.getloadavg()[0], 1)
    say("measuring what the servers can do at most")
    limits = measure_limits(CONCURRENCIES, limit_seconds)
    measured = tuple(measured_alone(contender, effort) for contender in chosen)
    return Comparison(measured, limits, os.cpu_count() or 1, load_before, round(time.monotonic() - begun, 1))


def measured_alone(contender: Contender, effort: Effort) -> Measured:
    """One system, started for this and gone afterwards."""

    def tell(progress: str) -> None:
        say(f"({contender.letter}) {contender.name}: {progress}")

    with started(contender, tell) as connection:
        return uvloop.run(measure(contender, connection, effort, tell))


def parser() -> argparse.ArgumentParser:
    """What may be said on the command line."""
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    letters = ", ".join(f"{one.letter} = {one.name}" for one in CONTENDERS)
    made.add_argument("--only", metavar="LETTERS", help=f"some of them, as a,b ({letters})")
    made.add_argument("--scale", type=float, default=1.0, help="longer or shorter (default 1: four to eight minutes)")
    made.add_argument("--json", type=Path, metavar="FILE", help="where to put the figures as JSON")
    made.add_argument("--write", type=Path, metavar="PAGE", help="the page to write into, as docs/performance.md")
    return made


def say(progress: str) -> None:
    """Tell how it goes, apart from the findings."""
    print(progress, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
