"""The findings as a table for people."""

from collections.abc import Iterator

from cli.bench.figures import Findings, Spread
from cli.output import print_table


def print_findings(findings: Findings) -> None:
    """Print everything that was measured."""
    print_table(["measure", "value", "p50 ms", "p95 ms", "p99 ms", "samples"], list(rows(findings)))


def rows(findings: Findings) -> Iterator[list[str]]:
    """The table, row by row."""
    yield timed("idle: POST to completed, Prefer: wait", "", findings.idle_wait)
    yield timed("idle: POST to completed, polled", "", findings.idle_poll)
    for accepted in findings.accepting:
        refused = f", {accepted.refused} refused" if accepted.refused else ""
        yield timed(f"accept, {accepted.concurrency} at once", f"{accepted.per_second:,.0f}/s{refused}", accepted.post)
    found = findings.pipeline
    yield timed("whole pipeline", f"{found.per_second:,.0f}/s", found.latency)
    if findings.cost is not None:
        for part, milliseconds in findings.cost.cpu_ms.items():
            yield plain(f"CPU per submission, {part}", f"{milliseconds:.2f} ms")
        yield plain("database per submission", f"{findings.cost.database_bytes or 0:,.0f} bytes")
    for part, mib in (findings.memory_mib or {}).items():
        yield plain(f"memory, {part}", f"{mib:,.0f} MiB")
    yield plain("CPU taken by the load generator", f"{findings.generator_cpu_share:.0%} of one core")


def timed(name: str, value: str, times: Spread) -> list[str]:
    return [name, value, f"{times.p50:.1f}", f"{times.p95:.1f}", f"{times.p99:.1f}", str(times.samples)]


def plain(name: str, value: str) -> list[str]:
    return [name, value, "", "", "", ""]
