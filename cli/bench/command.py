"""`gradeline bench`: measure a system on this machine, or one that runs elsewhere."""

import os
import subprocess
import sys
from pathlib import Path

import click
import msgspec
import uvloop

from cli.bench.figures import Findings
from cli.bench.report import print_findings
from cli.bench.run import Size, measure, scaled
from cli.connection import Connection, read_connection
from cli.interrupt import Interrupted
from cli.output import print_json
from cli.target import Target, find_target


@click.command()
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Workers of a system of its own.")
@click.option("--scale", type=click.FloatRange(0.01, 100), default=1.0, show_default=True, help="More or less of each.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one JSON object.")
@click.option("--url", help="Measure this server.  [default: $GRADELINE_URL, or a system of its own]")
@click.option("--api-key", help="A teacher's key of it.  [default: $GRADELINE_API_KEY, or that of `gradeline up`]")
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="Measure the `gradeline up` that runs in this home.",
)
@click.option(
    "--peers", is_flag=True, help="Compare with other systems instead, as `make bench` does; needs a checkout."
)
def bench(
    workers: int, scale: float, as_json: bool, url: str | None, api_key: str | None, home: Path | None, peers: bool
) -> None:
    """Measure rates, latencies and costs, within 90 seconds.

    Without --url, --home or GRADELINE_URL it starts a system of its own, in a directory that is removed
    afterwards, without rate limits. Otherwise it measures the system named; its questions and
    hand-ins, all called bench-…, stay there. Needs a teacher's key.

    \b
    Example:
      gradeline bench --workers 2 --json
    """
    if peers:
        raise SystemExit(compare_with_peers(scale))
    size = scaled(Size(), scale)
    if url or home or os.environ.get("GRADELINE_URL"):
        target = find_target(url, api_key, home)
        findings = uvloop.run(measure(target, running_here(home, target), size, say))
    else:
        findings = bench_own(workers, size)
    if as_json:
        print_json(msgspec.to_builtins(findings))
    else:
        print_findings(findings)


def compare_with_peers(scale: float) -> int:
    """Run the comparison of this checkout; its exit code."""
    checkout = Path(__file__).parents[2]
    if not (checkout / "benchmarks" / "compare").is_dir():
        raise click.ClickException("the other systems are not installed with Gradeline; run make bench in a checkout")
    command = [sys.executable, "-m", "benchmarks.compare", "--scale", str(scale)]
    return subprocess.run(command, cwd=checkout, check=False).returncode  # noqa: S603 - our own program


def bench_own(workers: int, size: Size) -> Findings:
    """Measure a system that is there for this only."""
    from cli.own_system import own_system

    try:
        with own_system(None, workers, say) as connection:
            return uvloop.run(measure(Target(connection.url, connection.api_key), connection, size, say))
    except Interrupted:
        raise click.Abort from None


def running_here(home: Path | None, target: Target) -> Connection | None:
    """The system on this machine whose address that is, if it is one."""
    connection = read_connection(home or Path(os.environ.get("GRADELINE_HOME") or ".gradeline"))
    return connection if connection is not None and connection.url == target.url else None


def say(progress: str) -> None:
    click.echo(progress, err=True)
