"""What `gradeline doctor` finds."""

from enum import StrEnum

import msgspec


class Level(StrEnum):
    """How bad it is."""

    NOTE = "note"
    """Nothing is wrong, and nothing was found that could be right either."""
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(msgspec.Struct, frozen=True):
    """One thing that was checked; `advice` says what to do, and is empty where nothing needs doing."""

    subject: str
    level: Level
    found: str
    advice: str = ""
