"""How cost grows, measured: `.venv/bin/python -m benchmarks.growth`.

Each measure runs systems of its own, one after the other, and needs the machine for itself. Exits with 1 if a
promise did not hold. `--write` puts tables and charts into a page; `--scale 0.1` is a quick look.
"""

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.growth import backlog, hot, learning, put_off, volume, watchers, workers
from benchmarks.growth.page import Measure, markdown, write

MEASURES: Final[Mapping[str, Measure]] = {
    "workers": workers.measure,
    "backlog": backlog.measure,
    "put-off": put_off.measure,
    "watchers": watchers.measure,
    "hot": hot.measure,
    "volume": volume.measure,
    "learning": learning.measure,
}


def main() -> int:
    """Measure what was asked for, in the order of the page."""
    given = arguments()
    broken: list[str] = []
    for name in given.only or MEASURES:
        started = time.monotonic()
        section = MEASURES[name](given.scale, say)
        if given.write is not None:
            write(given.write, name, section)
        print(f"{markdown(section)}\n\n({name} took {time.monotonic() - started:.0f} s)\n", flush=True)
        broken += section.broken
    return 1 if broken else 0


def arguments() -> argparse.Namespace:
    """What is said on the command line."""
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.growth", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--only", choices=list(MEASURES), action="append", help="one measure; may be repeated")
    made.add_argument("--scale", type=float, default=1.0, help="more or less of each (default 1)")
    made.add_argument("--write", type=Path, metavar="PAGE", help="the page to write into, as docs/performance.md")
    given = made.parse_args()
    if given.write is not None and not given.write.is_file():
        made.error(f"there is no page {given.write}")
    return given


def say(progress: str) -> None:
    """Tell how it goes, apart from the findings."""
    print(progress, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
