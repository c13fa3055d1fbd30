"""Batches and their requests as rows, and back; pure."""

from typing import Any

import msgspec

from pipeline.exchange import Completion, Failed, Reply
from pipeline.ports.batch import Batch, BatchRequest, Line, Lying, Terms
from pipeline.ports.generation import Wanted
from pipeline.store.engine import as_json
from pipeline.store.storable import storable


def wanted_row(wanted: Wanted, terms: Terms) -> dict[str, Any]:
    return {
        "tenant_id": wanted.tenant_id,
        "key": wanted.key.hex(),
        "submission_id": wanted.submission_id,
        "wait_seconds": terms.wait_seconds,
        "least_seconds": terms.least_seconds,
        "fresh_seconds": terms.fresh_seconds,
    }


def request_row(request: BatchRequest) -> dict[str, Any]:
    return {
        "custom_id": request.custom_id,
        "attempt_id": request.attempt_id,
        "route": request.route,
        "request": as_json(storable_value(msgspec.to_builtins(request, enc_hook=dict))),
    }


def lying_from(row: Any) -> Lying:
    return Lying(row.state, row.seconds_left, reply_from(row.reply), row.own)


def batch_from(row: Any) -> Batch:
    return msgspec.convert(row._asdict(), Batch)


def kept_row(custom_id: str, line: Line) -> dict[str, Any]:
    if line.reply is None:
        return {"id": custom_id, "state": "expired", "reply": None}
    state = "answered" if isinstance(line.reply, Completion) else "failed"
    return {"id": custom_id, "state": state, "reply": as_json(storable_value(msgspec.to_builtins(line.reply)))}


def reply_from(stored: dict[str, Any] | None) -> Reply | None:
    if stored is None:
        return None
    return msgspec.convert(stored, Failed) if "trouble" in stored else msgspec.convert(stored, Completion)


def storable_value(value: Any) -> Any:
    """Any JSON without the characters that Postgres takes in no text."""
    match value:
        case str():
            return storable(value)
        case list() | tuple():
            return [storable_value(item) for item in value]
        case dict():
            return {name: storable_value(item) for name, item in value.items()}
        case _:
            return value
