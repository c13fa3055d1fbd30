"""How client commands find a running system: a file in its home."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from pipeline.embedded.secret import write_private
from pipeline.errors import EnvironmentFault

CONNECTION_FILE: Final = "connection.json"
KEYS_FILE: Final = "keys.json"


Value = TypeVar("Value")


class Keys(msgspec.Struct, frozen=True):
    """The first keys of an installation: `api_key` is a teacher's, `operator_key` an operator's."""

    api_key: str
    operator_key: str


class Connection(msgspec.Struct, frozen=True):
    """Where a running system is and what opens it; `pids` are the processes we started, by part."""

    url: str
    api_key: str
    operator_key: str
    database_url: str
    redis_url: str
    pids: Mapping[str, int]


def write_connection(home: Path, connection: Connection) -> None:
    """Say that the system is ready and where; the file is private and appears whole."""
    _write(home / CONNECTION_FILE, connection)


def read_connection(home: Path) -> Connection | None:
    """The running system of `home`; None if there is none."""
    return _read(home / CONNECTION_FILE, Connection)


def remove_connection(home: Path) -> None:
    (home / CONNECTION_FILE).unlink(missing_ok=True)


def write_keys(home: Path, keys: Keys) -> None:
    """Keep the first keys, so that every start shows the same."""
    _write(home / KEYS_FILE, keys)


def read_keys(home: Path) -> Keys | None:
    """The keys kept in `home`; None before the first start."""
    return _read(home / KEYS_FILE, Keys)


def _write(path: Path, value: msgspec.Struct) -> None:
    write_private(path, msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def _read(path: Path, kind: type[Value]) -> Value | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        raise EnvironmentFault(f"{path} is damaged ({error}); remove it and start again") from None
