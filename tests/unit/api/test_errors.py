"""What is said of errors: to clients nothing of our insides, to the log nothing of theirs."""

import pytest
from litestar.testing import RequestFactory
from structlog.testing import capture_logs

from api.errors import on_gradeline_error, on_surprise
from pipeline.errors import Unauthenticated

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


def test_a_token_in_an_address_is_neither_logged_nor_answered() -> None:
    request = RequestFactory().get("/v1/submissions/1/events", query_params={"access_token": SECRET})
    assert request.query_params["access_token"] == SECRET
    with capture_logs() as lines:
        answers = [on_surprise(request, LookupError()), on_gradeline_error(request, Unauthenticated("No."))]
    assert [line["path"] for line in lines] == ["/v1/submissions/1/events"]
    assert SECRET not in str(lines)
    assert all(SECRET not in str(answer.content) for answer in answers)
