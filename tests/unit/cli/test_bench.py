from collections import Counter
from itertools import islice

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.bench.cost import Usage, cost
from cli.bench.figures import spread
from cli.bench.load import QUESTIONS, bodies, id_in, pipeline
from cli.bench.wire import Reply, server_at, whole_reply
from pipeline.errors import Unavailable
from pipeline.scoring.bank import parse_question
from pipeline.scoring.shape import check_response


@given(st.integers(0, 200))
def test_a_reply_is_whole_only_when_its_last_byte_is_there(cut: int) -> None:
    whole = b'HTTP/1.1 202 Accepted\r\nContent-Length: 12\r\n\r\n{"id":"abc"}'
    expected = Reply(202, b'{"id":"abc"}') if cut >= len(whole) else None
    assert whole_reply(whole[:cut]) == expected


def test_a_reply_without_a_body_is_whole_with_its_head() -> None:
    assert whole_reply(b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n") == Reply(304, b"")


def test_a_request_carries_its_length_key_and_host() -> None:
    request = server_at("http://127.0.0.1:8000", "k").post("/v1/submissions", b"{}", "Prefer: wait=10")
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"POST /v1/submissions HTTP/1.1"
    assert {b"Host: 127.0.0.1:8000", b"Authorization: Bearer k", b"Content-Length: 2", b"Prefer: wait=10"} <= set(
        head.split(b"\r\n")
    )
    assert body == b"{}"


@given(st.lists(st.floats(0, 10), min_size=1, max_size=200))
def test_percentiles_are_values_that_were_measured_and_in_order(seconds: list[float]) -> None:
    found = spread(seconds)
    measured = {round(value * 1000, 2) for value in seconds}
    assert found.p50 <= found.p95 <= found.p99 <= round(max(seconds) * 1000, 2)
    assert {found.p50, found.p95, found.p99} <= measured


def test_percentiles_are_by_nearest_rank() -> None:
    found = spread([number / 1000 for number in range(1, 101)])
    assert (found.p50, found.p95, found.p99) == (50.0, 95.0, 99.0)


def test_rate_and_latency_come_from_the_servers_timestamps() -> None:
    documents = [
        {"status": "completed", "created_at": f"2026-01-01T00:00:0{n}Z", "completed_at": f"2026-01-01T00:00:0{n + 2}Z"}
        for n in range(3)
    ]
    found = pipeline(documents)
    assert (found.submissions, found.per_second, found.latency.p50) == (3, 0.8, 2000.0)


def test_a_pipeline_that_lost_one_is_not_measured() -> None:
    with pytest.raises(Unavailable, match="1 submissions ended failed"):
        pipeline([{"status": "failed"}])


def test_cost_is_what_was_used_between_two_looks_per_submission() -> None:
    found = cost(Usage({"api": 1.0, "worker-1": 2.0}, 1_000), Usage({"api": 1.5, "worker-1": 4.0}, 6_000), 100)
    assert (found.cpu_ms, found.database_bytes) == ({"api": 5.0, "worker-1": 20.0}, 50.0)


def test_no_learner_of_the_load_hands_in_more_than_the_default_limit_allows() -> None:
    load = bodies()
    learners = Counter(msgspec.json.decode(next(load))["learner_id"] for _ in range(100))
    assert max(learners.values()) <= 10


def test_the_load_fits_its_questions() -> None:
    questions = {name: parse_question(raw, question_id=name) for name, raw in QUESTIONS.items()}
    for body in islice(bodies(), len(QUESTIONS)):
        for answer in msgspec.json.decode(body)["answers"]:
            assert check_response(questions[answer["question_id"]], answer["response"]) == ()


def test_the_id_is_found_in_a_submission() -> None:
    assert id_in(b'{"id": "abc", "status": "pending", "score": null}') == "abc"
