"""Files of a batch's replies, line by line, whatever stands in them."""

from collections.abc import AsyncIterator, Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import Unavailable
from pipeline.exchange import Failed, Trouble
from pipeline.llm import anthropic_batch
from pipeline.llm.batch_lines import lines_in
from pipeline.llm.openai_batch import line_of


async def pieces(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=5))
async def test_lines_are_the_same_however_a_file_is_cut(content: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(content)]
    chunks = [content[start:end] for start, end in pairwise(places)]
    assert [line async for line in lines_in(pieces(chunks))] == content.split(b"\n")


@pytest.mark.parametrize("chunk", [b"x" * 10, b"x\n" * 5])
async def test_a_file_without_end_is_left(chunk: bytes) -> None:
    taken = 0

    async def torrent() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield chunk

    with pytest.raises(Unavailable):
        [line async for line in lines_in(torrent(), most_line_bytes=50, most_bytes=500)]
    assert taken <= 51


@pytest.mark.parametrize("line", [b"", b" ", b"{", b"[]", b'{"custom_id": 7}', b"\xff"])
def test_a_line_that_says_not_whose_it_is_is_passed_over(line: bytes) -> None:
    assert line_of(line) is None
    assert anthropic_batch.line_of(line) is None


@pytest.mark.parametrize(("status", "body"), [(200, '"no reply"'), (200, '{"choices": 3}')])
def test_a_line_whose_reply_cannot_be_read_keeps_no_other_from_being_read(status: int, body: str) -> None:
    found = line_of(f'{{"custom_id": "a", "response": {{"status_code": {status}, "body": {body}}}}}'.encode())
    assert found is not None
    assert isinstance(found.reply, Failed)
    assert (found.custom_id, found.reply.trouble) == ("a", Trouble.UNREADABLE)


@pytest.mark.parametrize("message", ["", ', "message": 3', ', "message": {"content": []}'])
def test_a_message_that_cannot_be_read_keeps_no_other_from_being_read(message: str) -> None:
    found = anthropic_batch.line_of(f'{{"custom_id": "a", "result": {{"type": "succeeded"{message}}}}}'.encode())
    assert found is not None
    assert isinstance(found.reply, Failed)
    assert (found.custom_id, found.reply.trouble) == ("a", Trouble.UNREADABLE)
