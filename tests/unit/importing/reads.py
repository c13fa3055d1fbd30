"""Reading in the tests of importing: what was taken, without what every question has."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

from pipeline.importing.item import Item, Left, Taken
from pipeline.importing.reading import read_questions


def read(content: str | bytes, name: str = "") -> list[Item]:
    return list(read_questions(content.encode() if isinstance(content, str) else content, name))


def taken(content: str | bytes, name: str = "") -> Taken:
    """The only item of a file, which was taken."""
    [item] = read(content, name)
    assert isinstance(item, Taken), item
    return item


def question(content: str | bytes, name: str = "") -> Mapping[str, Any]:
    return taken(content, name).question


def reason(content: str | bytes, name: str = "") -> str:
    """Why the only item of a file was left."""
    [item] = read(content, name)
    assert isinstance(item, Left), item
    return item.reason


def options(**texts: str) -> list[dict[str, str]]:
    return [{"id": name, "text": text} for name, text in texts.items()]


def archive(files: Mapping[str, str | bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in files.items():
            package.writestr(name, content)
    return packed.getvalue()
