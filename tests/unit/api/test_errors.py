"""What is said of errors: to clients nothing of our insides, to the log nothing of theirs."""

import pytest
from litestar.testing import RequestFactory
from structlog.testing import capture_logs

from api.errors import on_surprise

SECRET = "my answer is 42"


def test_a_surprise_is_logged_by_type_and_place_only() -> None:
    """Its text may quote an answer, as errors of databases do."""
    request = RequestFactory().post("/v1/submissions")
    with pytest.raises(LookupError) as caught:
        raise LookupError(SECRET)
    with capture_logs() as lines:
        answer = on_surprise(request, caught.value)
    [line] = lines
    assert (line["error"], line["path"]) == ("LookupError", "/v1/submissions")
    assert "test_errors.py" in line["place"]
    assert SECRET not in str(lines)
    assert SECRET not in str(answer.content)
