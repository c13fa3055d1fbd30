# ruff: noqa: INP001  a script beside the page it writes, not a package
"""Writes docs/errors.md from the table in `api/errors.py`: `python -m docs.errors`."""

from inspect import getdoc
from pathlib import Path
from typing import Final

from api.errors import HTTP_TITLES, PROBLEMS, type_uri

PAGE: Final = Path(__file__).with_suffix(".md")

HEAD: Final = f"""\
# Errors

Written by `python -m docs.errors` from `api/errors.py`; do not edit.

Every refusal is a problem document (RFC 9457) of type `application/problem+json`, with `type`, `title`,
`status`, `detail` and `instance`. The `type` is `{type_uri("<name>")}`, with a name from this page.
`invalid-input` also lists `errors`: each has a `pointer` and a `detail`. The pointer is a JSON pointer (RFC 6901) into
the body; of a query parameter or a header it is the name behind a `/`.
`rate-limited` comes with `Retry-After` and the `RateLimit` headers, `unavailable` with `Retry-After`.

Nothing is stored by halves. Only after `unavailable` can a hand-in have been stored all the same, if the connection
to Postgres broke during its commit. Send it again with the same `Idempotency-Key`.

| status | name | title | when |
|---|---|---|---|
"""

HTTP_HEAD: Final = """
## Before a call is reached

The web framework answers these for requests that match no call or cannot be read.

| status | name | title |
|---|---|---|
"""

TAIL: Final = """
Any other error is a fault of ours: status 500, name `internal`. Its cause is in the server's log, not in the answer.
"""


def page() -> str:
    """The whole of docs/errors.md."""
    problems = sorted((status, name, title, kind) for kind, (status, name, title) in PROBLEMS.items())
    rows = (f"| {status} | `{name}` | {title} | {_when(kind)} |\n" for status, name, title, kind in problems)
    http = (f"| {status} | `{name}` | {title} |\n" for status, (name, title) in sorted(HTTP_TITLES.items()))
    return "".join([HEAD, *rows, HTTP_HEAD, *http, TAIL])


def _when(kind: type[Exception]) -> str:
    return (getdoc(kind) or "").partition("\n\n")[0].replace("\n", " ")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
