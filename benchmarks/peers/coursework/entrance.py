"""What the doors of the peers have in common beside the shapes."""

from typing import Annotated, Any, Final

import msgspec
from fastapi import Depends, Header, HTTPException

from benchmarks.peers.coursework.place import API_KEY
from pipeline.scoring.bank import parse_question


def authorised(authorization: Annotated[str, Header()] = "") -> None:
    """Refuse whoever does not have the key."""
    if authorization != f"Bearer {API_KEY}":
        raise HTTPException(401)


WITH_KEY: Final = [Depends(authorised)]


def question_body(question_id: str, raw: dict[str, Any]) -> dict[str, Any]:
    """A question as it is stored: checked, without its id and version."""
    question = msgspec.to_builtins(parse_question(raw, question_id=question_id, version=1))
    return {name: value for name, value in question.items() if name not in {"id", "version"} and value is not None}
