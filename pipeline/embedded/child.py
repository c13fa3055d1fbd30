"""Child processes that never outlive their owner."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import psutil

from pipeline.embedded.identity import Identity

LAUNCHER: Final = Path(__file__).with_name("launch.py")
KILL_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.01

Steps = Sequence[tuple[signal.Signals, float]]
"""Signals to end a process with, each with the seconds to wait for it; SIGKILL comes after all."""


class Child(NamedTuple):
    """A process of ours, the name people know it by, and where its output goes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid


def spawn(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    death_signal: signal.Signals = signal.SIGTERM,
    run_as: Identity | None = None,
    environment: Mapping[str, str] | None = None,
    directory: Path = Path("/"),
) -> Child:
    """Start `command` in a session of its own, so that a terminal's Ctrl-C does not reach it.

    On Linux the kernel sends it `death_signal` when the *thread* that called this ends: call it from one
    that lives as long as the child should. Output goes to a fresh `log`; the former is kept as `….1`.
    """
    orders = {
        "owner": os.getpid(),
        "death_signal": int(death_signal),
        "run_as": run_as._asdict() if run_as else None,
    }
    launch = [sys.executable, "-I", "-S", LAUNCHER, json.dumps(orders), *command]
    with open_log(log) as output:
        process = subprocess.Popen(  # noqa: S603 - our own launcher and program paths
            list(map(str, launch)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if environment is None else dict(environment),
            cwd=directory,
            start_new_session=True,
        )
    return Child(name, process, log)


def open_log(path: Path) -> BinaryIO:
    """A new, private log file; the one of the run before stays beside it as `….1`."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        path.replace(path.with_name(f"{path.name}.1"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_TRUNC, 0o600), "wb")


def last_lines(log: Path, count: int) -> list[str]:
    """The last `count` lines of a log, read from its last 64 KiB."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 65_536))
            return file.read().decode(errors="replace").splitlines()[-count:]
    except FileNotFoundError:
        return []


def end(process: subprocess.Popen[bytes], steps: Steps) -> int:
    """End our own child by `steps`, at last by SIGKILL; its exit code (negative: the signal)."""
    for number, seconds in steps:
        if process.poll() is not None:
            break
        process.send_signal(number)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    kill_tree(process)
    return process.wait()


def end_together(processes: Sequence[subprocess.Popen[bytes]], seconds: float) -> None:
    """SIGTERM all of our children at once, once; SIGKILL those that still run after `seconds`."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + seconds
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            kill_tree(process)


def find(pid: int, *, argument: Path) -> psutil.Process | None:
    """The process `pid` if it lives and `argument` is on its command line; pids are used again."""
    try:
        process = psutil.Process(pid)
        return process if str(argument) in process.cmdline() else None
    except psutil.NoSuchProcess:
        return None


def end_leftover(process: psutil.Process, steps: Steps) -> None:
    """End a process that an earlier owner left behind; it is not our child, so it is only watched."""
    for number, seconds in [*steps, (signal.SIGKILL, KILL_SECONDS)]:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            return
        if wait_until_gone([process], seconds):
            return


def wait_until_gone(processes: Sequence[psutil.Process], seconds: float) -> bool:
    """Wait until none of the processes runs; False if one still does after `seconds`.

    A zombie counts as gone: in a container, process 1 may never collect those that are handed to it.
    """
    deadline = time.monotonic() + seconds
    while any(map(_runs, processes)):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL our child and wait until its own children have noticed and gone."""
    try:
        below = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        below = []
    process.kill()
    process.wait()
    wait_until_gone(below, KILL_SECONDS)
