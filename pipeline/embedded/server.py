"""What the embedded servers have in common: one owner, one port, no orphans."""

import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Final, Self

from pipeline.embedded.child import Child, Steps, end, end_leftover, find, kill_tree
from pipeline.embedded.identity import prepare_home
from pipeline.embedded.lock import DirectoryLock
from pipeline.embedded.port import free_port, is_taken
from pipeline.errors import EnvironmentFault

POLL_SECONDS: Final = 0.01
PORT_TRIES: Final = 5


class EmbeddedServer(ABC):
    """A server process in `home`, from `start()` to `stop()`, or as a context manager.

    It listens on the loopback address with a password, runs as an unprivileged user if we are root, and
    is ended by the kernel when the *thread* that started it ends, however that happens.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    stop_steps: ClassVar[Steps]
    start_seconds: ClassVar[float]

    def __init__(self, home: Path) -> None:
        self._home = home.absolute()
        self._directory = self._home / self.name
        self._log = self._home / "logs" / f"{self.name}.log"
        self._lock = DirectoryLock(self._home / f"{self.name}.lock")
        self._port: int | None = None
        self._child: Child | None = None

    def start(self) -> str:
        """Start the server, making what it needs in its home; its URL.

        Raises `EnvironmentFault` in one line if the home is in use, its data cannot be used, or the server
        does not come up. The port stays the same over stop and start.
        """
        prepare_home(self._home)
        self._lock.take()
        try:
            self._end_leftover()
            self._prepare()
            self._launch()
            self._complete()
        except OSError as error:
            self.stop()
            raise EnvironmentFault(f"{self.title} cannot start in {self._directory}: {error}") from error
        except BaseException:
            self.stop()
            raise
        return self.url

    def stop(self) -> None:
        """End the server in order, cutting off its clients, and give the home back."""
        if self._child is not None:
            end(self._child.process, self.stop_steps)
            self._child = None
        self._lock.release()

    def kill(self) -> None:
        """SIGKILL the server, as a crash would; `start()` recovers."""
        kill_tree(self.child.process)
        self._child = None
        self._lock.release()

    def restart(self) -> str:
        """Stop and start again on the same port; the URL, which stays the same."""
        self.stop()
        return self.start()

    @property
    def child(self) -> Child:
        """The running server's process."""
        if self._child is None:
            raise RuntimeError(f"this {self.title} is not running; call start() first")
        return self._child

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self.child.pid

    @property
    @abstractmethod
    def url(self) -> str:
        """The address for clients, with the password."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @abstractmethod
    def _leftover(self) -> tuple[Path, Path]:
        """The pid file that a killed owner's server may leave, and a path on that server's command line."""

    @abstractmethod
    def _prepare(self) -> None:
        """Make the directory and everything the server needs to start."""

    @abstractmethod
    def _spawn(self, port: int) -> Child:
        """Start the process, to listen on `port`."""

    @abstractmethod
    def _is_ready(self, server: Child) -> bool:
        """Whether the server accepts clients by now."""

    @abstractmethod
    def _complaint(self) -> str:
        """Why the server gave up, from its log."""

    @abstractmethod
    def _complete(self) -> None:
        """Do what can only be done by asking the running server."""

    def _end_leftover(self) -> None:
        """End a server whose owner was killed; drop its pid file if the pid is somebody else's by now."""
        pid_file, argument = self._leftover()
        try:
            pid = int(pid_file.read_text().split()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return
        process = find(pid, argument=argument)
        if process is None:
            pid_file.unlink(missing_ok=True)
        else:
            end_leftover(process, self.stop_steps)

    def _launch(self) -> None:
        """Start the server on its port or on a free one, and on another if that was taken meanwhile."""
        chosen = self._port
        for _ in range(PORT_TRIES):
            port = chosen or free_port()
            self._port, self._child = port, self._spawn(port)
            if self._wait_until_ready(self._child):
                return
            self._port = chosen
            if not is_taken(port):
                break
        raise EnvironmentFault(
            f"{self.title} did not start in {self._directory}: {self._complaint()} (see {self._log})"
        )

    def _wait_until_ready(self, server: Child) -> bool:
        """Wait until the server accepts clients; False if it ended instead."""
        deadline = time.monotonic() + self.start_seconds
        while server.process.poll() is None:
            if self._is_ready(server):
                return True
            if time.monotonic() > deadline:
                raise EnvironmentFault(
                    f"{self.title} was not ready within {self.start_seconds:.0f} s (see {self._log})"
                )
            time.sleep(POLL_SECONDS)
        return False
