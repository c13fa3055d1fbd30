"""Text of unknown origin on its way into Postgres, which has no place for some characters.

Models and providers may write anything. What is stored for many callers in one statement must not fail for all of
them because of one of them.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from pipeline.store.engine import as_json

NOT_STORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """The text, with a replacement character for NUL and for half of a surrogate pair."""
    return NOT_STORABLE.sub("\ufffd", text)


def storable_json(rows: Sequence[dict[str, Any]]) -> str:
    """Rows for `jsonb_to_recordset`, whatever their texts hold."""
    return as_json([{n: storable(v) if isinstance(v, str) else v for n, v in row.items()} for row in rows])
