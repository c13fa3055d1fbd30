"""The curriculum that Gradeline ships with, as one file to import."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

SHIPPED: Final = Path(__file__).parent / "shipped"


def shipped_curriculum(folder: Path = SHIPPED) -> bytes:
    """All files in the folder and below as one document in the form of an import, in the order of their names."""
    together: dict[str, list[Any]] = {}
    for file in sorted(folder.rglob("*.json")):
        parts: dict[str, Sequence[Any]] = msgspec.json.decode(file.read_bytes())
        for name, things in parts.items():
            together.setdefault(name, []).extend(things)
    return msgspec.json.encode(together)
