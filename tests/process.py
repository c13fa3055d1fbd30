"""Processes of the real system, started as an installation would, each with its log for when something fails."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pipeline.embedded.child import last_lines
from pipeline.settings import Settings

PROVIDER_KEYS: Final = frozenset({"OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GRADELINE_AI_CONFIG"})
"""What makes workers ask real models; none of it is passed on by tests."""
REPOSITORY: Final = Path(__file__).resolve().parents[1]
HOOKED_WORKER: Final = Path(__file__).with_name("hooked_worker.py")


class Process:
    """A process of the system."""

    def __init__(self, name: str, popen: "subprocess.Popen[bytes]", log: Path) -> None:
        self.name = name
        self.popen = popen
        self.log = log

    def send(self, number: signal.Signals) -> None:
        self.popen.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, also to one that is stopped, and collect it."""
        self.popen.kill()
        self.popen.wait()

    def abort(self) -> None:
        """End it, if it lives, with a last word on what each of its threads was doing."""
        self.popen.send_signal(signal.SIGABRT)
        self.popen.send_signal(signal.SIGCONT)
        self.popen.wait()

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def lives(self) -> bool:
        return self.popen.poll() is None

    @property
    def exit_code(self) -> int | None:
        return self.popen.poll()

    def logged(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def tail(self, lines: int = 80) -> str:
        return "\n".join(last_lines(self.log, lines))


def start_process(name: str, settings: Settings, log: Path, *command: str | Path, **environment: str) -> Process:
    """Run `python command…` with these settings; what it says goes to a fresh `log`."""
    with log.open("wb") as output:
        popen = subprocess.Popen(
            [sys.executable, *command],
            env={
                **without_keys(os.environ),
                **variables(settings),
                "PYTHONPATH": str(REPOSITORY),
                "PYTHONFAULTHANDLER": "1",
                **environment,
            },
            cwd=REPOSITORY,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Process(name, popen, log)


def without_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment whose processes find no provider."""
    return {name: value for name, value in environment.items() if name not in PROVIDER_KEYS}


def variables(settings: Settings) -> dict[str, str]:
    """Settings as the environment of a process."""
    defaults = Settings()
    given = {name: getattr(settings, name) for name in settings.__struct_fields__}
    return {f"GRADELINE_{name.upper()}": str(v) for name, v in given.items() if v != getattr(defaults, name)}
