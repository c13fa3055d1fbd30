"""Zip archives read in memory: nothing is unpacked to a disk, and no archive grows beyond its bounds."""

import io
import zipfile
import zlib
from collections.abc import Mapping
from typing import Final

from pipeline.importing.item import Unreadable

MAX_ENTRIES: Final = 20_000
MAX_ENTRY_BYTES: Final = 16 * 1024 * 1024
MAX_READ_BYTES: Final = 128 * 1024 * 1024
"""What all entries that are read may hold together, unpacked."""

_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


class Archive:
    """The files of a zip archive by name. Raises `Unreadable` for one that is broken or plays tricks."""

    def __init__(self, data: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            entries = self._zip.infolist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError):
            raise Unreadable("the zip archive is broken") from None
        self._entries = _checked(entries)
        self._left = MAX_READ_BYTES

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def read(self, name: str) -> bytes:
        """One file, unpacked; what it says of its size is not believed."""
        entry = self._entries.get(name)
        if entry is None:
            raise Unreadable(f"the package has no file {name[:100]!r}")
        if entry.flag_bits & 1 or entry.compress_type not in _METHODS:
            raise Unreadable(f"{name[:100]}: is encrypted, or packed in a way that is not read")
        most = min(MAX_ENTRY_BYTES, self._left)
        try:
            with self._zip.open(entry) as file:
                content = file.read(most + 1)
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError, OSError, EOFError):
            raise Unreadable(f"{name[:100]}: is broken") from None
        if len(content) > most:
            raise Unreadable(f"{name[:100]}: unpacks to more than {most:,} bytes")
        self._left -= len(content)
        return content


def _checked(entries: list[zipfile.ZipInfo]) -> Mapping[str, zipfile.ZipInfo]:
    if len(entries) > MAX_ENTRIES:
        raise Unreadable(f"the archive has more than {MAX_ENTRIES:,} entries")
    named: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        if not is_plain_path(entry.orig_filename):
            raise Unreadable(f"the archive has an entry whose path leads out of it: {entry.orig_filename[:100]!r}")
        if entry.filename in named:
            raise Unreadable(f"the archive has two entries named {entry.filename[:100]!r}")
        named[entry.filename] = entry
    return named


def is_plain_path(path: str) -> bool:
    """Whether a path stays inside: relative, without `..`, backslashes, drives or control characters."""
    parts = path.rstrip("/").split("/")
    return path.isprintable() and "\\" not in path and ":" not in parts[0] and not {"", ".."} & set(parts)
