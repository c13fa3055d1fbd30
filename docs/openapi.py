# ruff: noqa: INP001  a script beside the document it writes, not a package
"""Writes docs/openapi.json from the API's handlers: `python -m docs.openapi`; `make fix` runs it."""

import json
from pathlib import Path
from typing import Final

from api.app import create_app
from api.openapi import openapi_document
from pipeline.settings import Settings

DOCUMENT: Final = Path(__file__).with_suffix(".json")


def document() -> str:
    """The whole of docs/openapi.json. Making the application contacts no server."""
    return json.dumps(openapi_document(create_app(Settings())), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
