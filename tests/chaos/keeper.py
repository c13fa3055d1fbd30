"""Starts what died again, as systemd or compose would."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

from pipeline.settings import Settings
from tests.process import Process, start_process

LOOK_SECONDS: Final = 0.1
MOST_WORDS: Final = 200


class Part(msgspec.Struct, frozen=True):
    """A process that should always be there: its command and what its environment has beyond the settings."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = {}


class Ending(msgspec.Struct, frozen=True):
    """A process that ended, and with which code (negative: the signal that killed it)."""

    name: str
    code: int | None


class Keeper:
    """Keeps one process per part running, and remembers how those ended that it had to start again."""

    def __init__(self, settings: Settings, logs: Path) -> None:
        self.settings = settings
        self.endings: list[Ending] = []
        self._logs = logs
        logs.mkdir(parents=True, exist_ok=True)
        self._parts: dict[str, Part] = {}
        self._running: dict[str, Process] = {}
        self._started = 0

    def __getitem__(self, name: str) -> Process:
        return self._running[name]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._parts)

    @property
    def parts(self) -> dict[str, Part]:
        return dict(self._parts)

    def start(self, name: str, part: Part) -> Process:
        """Start a part, and keep it running from now on."""
        self._parts[name] = part
        return self._launch(name)

    async def stop(self, name: str, number: int) -> Process:
        """Let a part go for good: send it a signal and wait until it has ended."""
        del self._parts[name]
        process = self._running.pop(name)
        process.popen.send_signal(number)
        await asyncio.to_thread(process.popen.wait)
        return process

    async def keep(self) -> None:
        """Look after the parts until cancelled."""
        while True:
            for name in self.names:
                if not self._running[name].lives:
                    self.endings.append(Ending(name, self._running[name].exit_code))
                    self._launch(name)
            await asyncio.sleep(LOOK_SECONDS)

    def kill_all(self) -> None:
        for process in self._running.values():
            process.kill()

    def last_words(self) -> str:
        """The last that each process said; `--keep` keeps all of it."""
        return "\n".join(
            f"    {name}: {line[:MOST_WORDS]}"
            for name, process in self._running.items()
            for line in process.tail(2).splitlines()
        )

    def _launch(self, name: str) -> Process:
        self._started += 1
        log = self._logs / f"{self._started:03}-{name}.log"
        part = self._parts[name]
        process = start_process(name, self.settings, log, *part.command, **part.environment)
        self._running[name] = process
        return process


@asynccontextmanager
async def keeping(settings: Settings, logs: Path) -> AsyncIterator[Keeper]:
    """A keeper at work; at the end all of its processes are killed."""
    keeper = Keeper(settings, logs)
    keeps = asyncio.create_task(keeper.keep())
    try:
        yield keeper
    finally:
        keeps.cancel()
        await asyncio.gather(keeps, return_exceptions=True)
        keeper.kill_all()
