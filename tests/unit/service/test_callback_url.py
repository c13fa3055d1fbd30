"""The callback URL of a hand-in is checked before anything is stored, as far as it shows without DNS."""

from datetime import UTC, datetime

import msgspec
import pytest

from pipeline.errors import FieldProblem, InvalidInput
from pipeline.service.hand_in import SubmissionIn
from pipeline.service.intake import IntakeLimits, read_submission

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def read(callback_url: str, *, private_callbacks: bool = False) -> SubmissionIn:
    body = {"learner_id": "u-1", "answers": [{"question_id": "q-1"}], "callback_url": callback_url}
    return read_submission(msgspec.json.encode(body), IntakeLimits(500, 16_384, private_callbacks), NOW)


def test_a_public_callback_is_taken_as_it_is_written() -> None:
    assert read("https://School.example/hook?id=7").callback_url == "https://School.example/hook?id=7"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "0x7f.1", "[::ffff:127.0.0.1]", "169.254.169.254"])
def test_a_private_callback_is_refused_at_its_field(host: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(f"http://{host}/hook")
    assert refused.value.problems == (FieldProblem("/callback_url", "The host must be on the public internet."),)


def test_a_private_callback_is_taken_where_the_setting_allows_it() -> None:
    assert read("http://127.0.0.1:9000/hook", private_callbacks=True).callback_url == "http://127.0.0.1:9000/hook"


@pytest.mark.parametrize(
    "url", ["http://user:secret@school.example/", "https://school.example:22/", "https://学校.example/"]
)
def test_what_no_webhook_may_go_to_is_no_callback(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(url, private_callbacks=True)
    assert [problem.pointer for problem in refused.value.problems] == ["/callback_url"]
