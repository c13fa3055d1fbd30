"""Passwords of the embedded servers: made once, kept in the home, readable by its owner alone."""

import os
import secrets
from pathlib import Path


def password_in(path: Path) -> str:
    """The password kept in `path`; made and stored durably first if there is none."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        write_private(path, secrets.token_urlsafe(24))
        return path.read_text().strip()


def write_private(path: Path, text: str) -> None:
    """Replace `path` by `text` in one step, mode 0600: a reader sees the old or the new, never half."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
