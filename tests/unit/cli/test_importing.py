from typing import Any

import msgspec

from cli.importing import Chunk, chunks_of, problems_in
from cli.ndjson import BadLine, Line


def test_chunks_are_bounded_and_remember_the_places_of_their_lines() -> None:
    lines = [Line(2 * number, {"id": number}) for number in range(1, 1_202)]
    chunks = list(chunks_of(lines, []))
    assert [len(chunk.numbers) for chunk in chunks] == [500, 500, 201]
    assert [number for chunk in chunks for number in chunk.numbers] == [line.number for line in lines]
    bodies = [msgspec.json.decode(body) for chunk in chunks for body in chunk.body.split(b"\n")]
    assert bodies == [line.value for line in lines]


def test_large_questions_make_small_chunks() -> None:
    lines = [Line(number, {"prompt": "x" * 1_500_000}) for number in range(1, 6)]
    assert [len(chunk.numbers) for chunk in chunks_of(lines, [])] == [2, 2, 1]


def test_lines_that_are_no_objects_are_left_out_and_told() -> None:
    problems: list[BadLine] = []
    bad = BadLine(2, "not a JSON object")
    chunks = list(chunks_of([Line(1, {"a": 1}), bad, Line(3, {"a": 3})], problems))
    assert chunks == [Chunk((1, 3), b'{"a":1}\n{"a":3}')]
    assert problems == [bad]


def test_refusals_are_told_by_the_lines_of_the_file_not_of_the_request() -> None:
    errors = [{"pointer": "/type", "detail": "is required"}]
    items: list[dict[str, Any]] = [
        {"line": 1, "status": 201, "id": "a", "version": 1},
        {"line": 2, "status": 422, "problem": {"detail": "The question is invalid.", "errors": errors}},
    ]
    assert problems_in([7, 9], items) == [BadLine(9, "The question is invalid; /type: is required")]


def test_an_empty_file_sends_nothing() -> None:
    assert list(chunks_of([], [])) == []
