import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home that does not exist yet, in a path with spaces, below a directory closed to other users."""
    return tmp_path / "a home" / "of ours"


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every user may enter and write to."""
    directory = Path(tempfile.mkdtemp(prefix="open-"))
    directory.chmod(0o777)
    yield directory
    shutil.rmtree(directory)
