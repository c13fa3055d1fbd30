"""The limits beside which rates stand: durable single-row commits by pgbench, and round trips to Valkey."""

import asyncio
import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast
from urllib.parse import urlsplit

import psycopg
import uvloop

from benchmarks.compare.figures import Limits
from pipeline.embedded import EmbeddedPostgres, EmbeddedValkey
from pipeline.embedded.cluster import program
from pipeline.errors import EnvironmentFault

TABLE: Final = "CREATE TABLE one_row (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text NOT NULL)"
INSERT: Final = "INSERT INTO one_row (body) VALUES (repeat('x', 100));\n"
RATE: Final = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
MOST_CONNECTIONS: Final = 190  # of the 200 that the embedded Postgres takes
LEAST_SECONDS: Final = 3  # pgbench counts from before it has connected
SET: Final = b"*3\r\n$3\r\nSET\r\n$8\r\na-status\r\n$100\r\n" + b"x" * 100 + b"\r\n"
OK: Final = b"+OK\r\n"


def measure_limits(concurrencies: Sequence[int], seconds: float) -> Limits:
    """Both, on servers of their own with the settings that every system gets."""
    with tempfile.TemporaryDirectory(prefix="limits-") as folder:
        home = Path(folder) / "home"
        with EmbeddedPostgres(home) as postgres:
            commits = {number: commits_per_second(postgres.url, number, seconds) for number in concurrencies}
        with EmbeddedValkey(home) as valkey:
            trips = {number: uvloop.run(trips_per_second(valkey.url, number, seconds)) for number in concurrencies}
    return Limits(commits, trips)


def commits_per_second(url: str, concurrency: int, seconds: float) -> float:
    """Rows per second, each inserted in a transaction of its own, by so many connections (at most 190)."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS one_row")
        connection.execute(TABLE)
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(INSERT)
        script.flush()
        clients = min(concurrency, MOST_CONNECTIONS)
        command = [str(program("pgbench")), "-n", "-M", "prepared", "-f", script.name]
        command += ["-c", str(clients), "-j", str(min(clients, 2)), "-T", str(max(LEAST_SECONDS, round(seconds))), url]
        said = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the wheel's own
    found = RATE.search(said.stdout)
    if found is None:
        raise EnvironmentFault(f"pgbench said no rate: {said.stderr.strip()[-200:]}")
    return round(float(found.group(1)), 1)


class Trips(asyncio.Protocol):
    """A connection that sends a command as soon as the last was answered, and counts."""

    def __init__(self, password: str) -> None:
        self.count = 0
        self._password = password
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Log in; the reply to that starts the trips (called by the loop)."""
        self._transport = cast("asyncio.Transport", transport)
        password = self._password.encode()
        self._transport.write(b"*2\r\n$4\r\nAUTH\r\n$%d\r\n%s\r\n" % (len(password), password))

    def data_received(self, data: bytes) -> None:
        """Count what is answered and ask again (called by the loop)."""
        if data != OK:
            raise EnvironmentFault(f"Valkey answered {data[:80]!r}")
        self.count += 1
        if self._transport is not None:
            self._transport.write(SET)

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.close()


async def trips_per_second(url: str, concurrency: int, seconds: float) -> float:
    """SETs of 100 bytes per second by so many connections, one at a time on each."""
    place = urlsplit(url)
    host, port, password = place.hostname or "", place.port or 0, place.password or ""
    loop = asyncio.get_running_loop()
    opened = []
    for _ in range(concurrency):
        _, trips = await loop.create_connection(lambda: Trips(password), host, port)
        opened.append(trips)
    before, started = sum(trips.count for trips in opened), time.perf_counter()
    await asyncio.sleep(seconds)
    count, passed = sum(trips.count for trips in opened) - before, time.perf_counter() - started
    for trips in opened:
        trips.close()
    return round(count / passed, 1)
