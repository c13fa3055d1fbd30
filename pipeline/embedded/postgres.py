"""A real PostgreSQL under a home directory."""

import signal
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import psycopg
from psycopg import sql

from pipeline.embedded import cluster
from pipeline.embedded.child import Child, spawn
from pipeline.embedded.identity import Identity, identity_for, prepare_directory
from pipeline.embedded.port import HOST
from pipeline.embedded.secret import password_in
from pipeline.embedded.server import EmbeddedServer
from pipeline.errors import EnvironmentFault

ROLE: Final = "gradeline"
DATABASE: Final = "gradeline"
STATUS_LINE: Final = 7  # of postmaster.pid, from 0; pg_ctl looks there too

TUNING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "listen_addresses": HOST,
        "unix_socket_directories": "",  # a socket's path is limited to 107 bytes and a home's is not
        "max_connections": "200",
        "shared_buffers": "256MB",
        "work_mem": "8MB",
        "maintenance_work_mem": "64MB",
        "effective_cache_size": "1GB",
        "max_wal_size": "2GB",
        "checkpoint_timeout": "15min",
        "wal_compression": "on",
        "synchronous_commit": "on",
        "jit": "off",  # our statements are short; compiling them costs more than it saves
        "random_page_cost": "1.1",
        # Stage rows change state several times in seconds: vacuum early and often, or claims slow down.
        "autovacuum_naptime": "10s",
        "autovacuum_vacuum_scale_factor": "0.05",
        "autovacuum_analyze_scale_factor": "0.05",
        "autovacuum_vacuum_cost_limit": "1000",
        # Growing tables are analysed every ten seconds, and what a sample costs is its size. Our statements ask by
        # keys that have an index, so a coarse picture of the rest will do.
        "default_statistics_target": "20",
        "idle_in_transaction_session_timeout": "60s",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # A failed statement's text and message carry learners' answers, which stay out of logs: the
        # client gets the error. "log" ranks above "error" here and keeps starts, stops and crashes.
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_checkpoints": "off",
    }
)


class EmbeddedPostgres(EmbeddedServer):
    """PostgreSQL in `home/postgres`; what was committed is kept. `fsync=False` is for tests only.

    Without fsync a crash of the machine (not of a process) may lose everything.
    """

    name = "postgres"
    title = "PostgreSQL"
    stop_steps = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0))
    start_seconds = 300.0  # replaying 2 GB of WAL after a crash takes minutes on a slow disk

    def __init__(self, home: Path, *, fsync: bool = True) -> None:
        super().__init__(home)
        self._data = self._directory / "data"
        self._fsync = fsync
        self._run_as: Identity | None = None

    @property
    def url(self) -> str:
        """The address for psql, psycopg and SQLAlchemy; its role owns the database and is no superuser."""
        return f"postgresql://{ROLE}:{self._password(ROLE)}@{HOST}:{self._port}/{DATABASE}"

    def _leftover(self) -> tuple[Path, Path]:
        return self._data / "postmaster.pid", self._data

    def _prepare(self) -> None:
        self._run_as = identity_for(self._directory, also_reads=[cluster.program("postgres")])
        prepare_directory(self._directory, self._run_as)
        if not self._data.exists():
            log = self._log.with_name("initdb.log")
            superuser = self._password(cluster.SUPERUSER)
            cluster.initialise(self._data, password=superuser, run_as=self._run_as, log=log)
        cluster.check_version(self._data)

    def _spawn(self, port: int) -> Child:
        options = {**TUNING, "port": str(port), "fsync": "on" if self._fsync else "off"}
        command: list[str | Path] = [cluster.program("postgres"), "-D", self._data]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        # SIGINT is PostgreSQL's fast and orderly shutdown.
        return spawn(self.name, command, log=self._log, death_signal=signal.SIGINT, run_as=self._run_as)

    def _is_ready(self, server: Child) -> bool:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > STATUS_LINE and lines[0] == str(server.pid) and lines[STATUS_LINE].strip() == "ready"

    def _complaint(self) -> str:
        return cluster.complaint(self._log)

    def _complete(self) -> None:
        """Make our role and database if they are not there; safe to repeat after a crash in between."""
        try:
            with self._connect_as_superuser() as connection:
                self._ensure_role(connection)
                self._ensure_database(connection)
        except psycopg.Error as error:
            reason = " ".join(str(error).split())
            raise EnvironmentFault(f"PostgreSQL in {self._data} cannot be used: {reason}") from error

    def _ensure_role(self, connection: psycopg.Connection) -> None:
        if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [ROLE]).rowcount == 0:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(sql.Identifier(ROLE)))
        connection.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(ROLE), sql.Literal(self._password(ROLE)))
        )

    def _ensure_database(self, connection: psycopg.Connection) -> None:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).rowcount == 0:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(ROLE))
            )

    def _connect_as_superuser(self) -> psycopg.Connection:
        return psycopg.connect(
            host=HOST,
            port=self._port,
            user=cluster.SUPERUSER,
            password=self._password(cluster.SUPERUSER),
            dbname="postgres",
            autocommit=True,
        )

    def _password(self, role: str) -> str:
        return password_in(self._directory / f"{role}.password")
