"""What a failed statement says of itself."""

import traceback

import pytest
from psycopg.errors import CheckViolation
from sqlalchemy.exc import IntegrityError

from pipeline.store.engine import _translated


async def test_a_failed_statement_does_not_tell_the_row_it_is_about() -> None:
    broken = CheckViolation("a check is violated\nDETAIL:  Failing row contains (7, whsec_secret).")
    with pytest.raises(IntegrityError, match="a check is violated") as caught:
        async with _translated():
            raise IntegrityError("INSERT", {"secret": "whsec_secret"}, broken)
    assert "whsec_secret" not in "".join(traceback.format_exception(caught.value))
